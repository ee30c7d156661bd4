/* SPDX-License-Identifier: Apache-2.0 */
/* renewal_window.c - maintenance windows: when a renewal may run, and when that is overruled. */
#include "engine/private.h"

int renewal_window_stops(struct sql *tx, struct engine *e, struct certificate *c, struct renewal *n, struct err *err)
{
	(void)tx, (void)e, (void)c, (void)n, (void)err;
	return 0;
}
