/* SPDX-License-Identifier: Apache-2.0 */
/* log_keep.h - the last lines of the log, kept in memory for a support bundle. */
#ifndef BASE_LOG_KEEP_H
#define BASE_LOG_KEEP_H

#include "base/buf.h"

/* From now on about so many bytes of lines are kept. Once, before the first thread. */
void log_keep(size_t bytes);
/* The oldest first, each with its newline, as JSON. */
void log_kept(struct buf *out);

#endif
