/* SPDX-License-Identifier: Apache-2.0 */
/* weak.h - which keys of the configuration weaken something, for the auditor's report: "key\nvalue\nwhy\nwhat to do". */
#ifndef APP_WEAK_H
#define APP_WEAK_H

#include "app/config.h"

void weak_settings(const struct config *c, struct strlist *ret);

#endif
