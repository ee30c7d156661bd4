/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - the configuration in force as lines for a support bundle: what could be a secret in itself is shortened. */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include "app/config.h"

void settings_lines(const struct config *c, struct strlist *ret);

#endif
