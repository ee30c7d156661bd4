/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.h - the page of provider kinds (`certwright config providers`). */
#ifndef APP_KINDS_H
#define APP_KINDS_H

#include <stdio.h>

/* Markdown. */
void kinds_page(FILE *out);

#endif
