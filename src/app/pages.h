/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages.h - pages of the guide that are made from tables of the program, so that they cannot differ from what it does: each vendor's
 * first account (`certwright config vendors`), what a firewall has to let through (`certwright config firewall`), and the least right
 * of each credential (`certwright config rights`).
 */
#ifndef APP_PAGES_H
#define APP_PAGES_H

#include <stdio.h>

/* Markdown. */
void vendors_page(FILE *out);
void firewall_page(FILE *out);
void rights_page(FILE *out);

#endif
