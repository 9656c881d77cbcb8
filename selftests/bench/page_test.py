#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The report as a browser shows it: nothing is wider than a phone or a desktop.

KTAP; skipped where there is no Chromium.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import ktap
import report_data
import simlib

WIDTHS = {"phone": 360, "desktop": 1280}
# Headless windows have a least width of 500: the page is looked at in a frame.
FRAME = """<!doctype html><body style="margin:0"><iframe id="f" src="page.html"
 style="border:0;width:{width}px;height:800px"></iframe><pre id="out"></pre><script>
document.getElementById("f").onload = (e) => {{
  const d = e.target.contentDocument, s = d.scrollingElement;
  const wide = [...d.querySelectorAll("svg, h1, h2, p, dl, figure, .wide, details")]
    .filter(x => x.getBoundingClientRect().right > {width} + 1 && x.offsetParent !== null);
  document.getElementById("out").textContent = "RESULT " + s.scrollWidth + " " + wide.length +
    " " + d.querySelectorAll("figure svg").length + " " + d.querySelectorAll("tbody tr").length;
}};</script>"""


def look(width):
    """(width of what can be scrolled over, too wide elements, plots, rows)"""
    with tempfile.TemporaryDirectory(prefix="fsk-page-") as work:
        source = os.path.join(work, "sim.json")
        report_data.write(source)
        page = os.path.join(work, "page.html")
        subprocess.run((os.path.join(simlib.HERE, "report"), page, source), check=True)
        frame = os.path.join(work, "frame.html")
        with open(frame, "w", encoding="utf-8") as f:
            f.write(FRAME.format(width=width))
        done = subprocess.run(
            ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
             "--allow-file-access-from-files", f"--user-data-dir={work}/profile",
             "--virtual-time-budget=5000", "file://" + frame),
            capture_output=True, text=True, timeout=900, check=False)
        found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)<", done.stdout)
        assert found, done.stdout[-500:] + done.stderr[-2000:]
        return [int(x) for x in found.groups()]


def fits(width):
    scroll, wide, plots, rows = look(width)
    assert plots == 2 and rows >= 12, (plots, rows)
    assert scroll <= width and not wide, (scroll, width, wide)


def fits_a_phone():
    fits(WIDTHS["phone"])


def fits_a_desktop():
    fits(WIDTHS["desktop"])


CASES = (fits_a_phone, fits_a_desktop)

if __name__ == "__main__":
    if not shutil.which("chromium"):
        print("KTAP version 1\n1..0 # SKIP no chromium here")
        sys.exit(1 if os.environ.get("FSK_EXPECT_ALL") == "1" else 4)
    ktap.main("page", CASES)
