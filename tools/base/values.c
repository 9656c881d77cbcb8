// SPDX-License-Identifier: MIT
/* Values of settings, in JSON. */
#include "out.h"
#include "rfd.h"
#include "settings.h"

/**
 * fsk_values_json() - print the settings that have a value
 * @values: the values
 *
 * As members of the object that is open.
 */
void fsk_values_json(const struct fsk_values *values)
{
	const struct fsk_setting *setting;
	uint32_t number;

	for (setting = fsk_settings; setting->name; setting++) {
		number = values->number[setting->attr];
		if (!values->given[setting->attr])
			continue;
		if (setting->kind == FSK_SETTING_SWITCH)
			fsk_json_bool(setting->name, number);
		else if (setting->kind == FSK_SETTING_NUMBER)
			fsk_json_uint(setting->name, number);
		else
			fsk_json_str(setting->name, fsk_rfd_mode_name(number));
	}
}
