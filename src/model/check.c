/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - see check.h. */
#include "model/check.h"

DEFINE_ENUM(check_state, CHECK_STATES)
