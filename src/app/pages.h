/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages.h - two pages of the guide that are made from tables of the program, so that they cannot differ from what it does: each
 * vendor's first account (`certwright config vendors`) and what a firewall has to let through (`certwright config firewall`).
 */
#ifndef APP_PAGES_H
#define APP_PAGES_H

#include <stdio.h>

/* Markdown. */
void vendors_page(FILE *out);
void firewall_page(FILE *out);

#endif
