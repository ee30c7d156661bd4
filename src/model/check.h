/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - what a look at the whole server found: one row each (engine/checks.h). */
#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

#include "model/enum.h"

#define CHECK_STATES(X)                                                                                                \
	X(CHECK_OK, "ok")                                                                                              \
	X(CHECK_WARNING, "warning")     /* it works, and will not for ever */                                          \
	X(CHECK_ERROR, "error")         /* something does not work */                                                  \
	X(CHECK_UNKNOWN, "not-checked") /* nothing is known: no time, not reached, not set up */
DECLARE_ENUM(check_state, CHECK_STATES);

#endif
