// SPDX-License-Identifier: MIT
/* What commands that show something have in common. */
#include "show.h"

#include "error.h"
#include "nl.h"
#include "out.h"

/**
 * fsk_show() - read from the module and print
 * @show: what a command does of it
 * @data: for the functions of @show
 *
 * Return: exit status.
 */
int fsk_show(const struct fsk_show *show, void *data)
{
	struct fsk_nl *nl = fsk_nl_open();
	int status;

	if (!nl)
		return FSK_EXIT_REFUSED;
	status = show->read(nl, data);
	fsk_nl_close(nl);
	if (!status && show->text && !fsk_json)
		show->text(data);
	else if (!status && show->json && fsk_json)
		show->json(data);
	if (show->reset)
		show->reset(data);
	return status;
}
