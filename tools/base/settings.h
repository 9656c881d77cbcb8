/* SPDX-License-Identifier: MIT */
#ifndef FSK_SETTINGS_H
#define FSK_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/fastsocket.h>

struct fsk_nl;

#define FSK_SETTING_WHY	160	/* bytes of an error message, at most */
#define FSK_SETTING_UNKNOWN	(-2)	/* there is no setting of this name */

/** enum fsk_setting_kind - what a setting's values are */
enum fsk_setting_kind {
	FSK_SETTING_SWITCH,
	FSK_SETTING_NUMBER,
	FSK_SETTING_MODE,
};

/**
 * struct fsk_setting - a setting of the module
 * @name: as `set` and the configuration have it
 * @values: for the help
 * @text: for the help, lines of at most 55 columns
 * @kind: of its values
 * @attr: FSK_A_CONFIG_*
 * @min: of a number
 * @max: of a number
 */
struct fsk_setting {
	const char *name;
	const char *values;
	const char *text;
	enum fsk_setting_kind kind;
	int attr;
	uint32_t min;
	uint32_t max;
};

/**
 * struct fsk_values - values of settings, by FSK_A_CONFIG_*
 * @given: this one is to be set, or was read
 * @number: its value
 */
struct fsk_values {
	bool given[FSK_A_CONFIG_MAX + 1];
	uint32_t number[FSK_A_CONFIG_MAX + 1];
};

/* Ends with a setting that has no name. */
extern const struct fsk_setting fsk_settings[];

bool fsk_setting_switch(const char *word, bool *on);
const char *fsk_setting_word(const struct fsk_setting *setting, uint32_t number,
			     char *word, size_t size);
int fsk_values_put(struct fsk_values *values, const char *name,
		   const char *word, char *why);
int fsk_values_read(struct fsk_nl *nl, struct fsk_values *values);
void fsk_values_json(const struct fsk_values *values);
int fsk_values_send(struct fsk_nl *nl, const struct fsk_values *values);

#endif
