/* SPDX-License-Identifier: Apache-2.0 */
/* log_keep.c - see log_keep.h: a ring of bytes; what is overwritten in the middle of a line is not given out. */
#include "base/log_keep.h"

#include "base/log.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *ring;
static size_t size, head; /* head: where the next byte goes */
static bool wrapped;

static void put(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ring[head++] = p[i];
		if (head == size) {
			head = 0;
			wrapped = true;
		}
	}
}

static void keep(UNUSED void *arg, UNUSED enum log_level level, UNUSED long pid, const char *line, size_t n)
{
	if (n >= size)
		return;
	pthread_mutex_lock(&lock);
	put(line, n);
	put("\n", 1);
	pthread_mutex_unlock(&lock);
}

void log_keep(size_t bytes)
{
	assert(!ring && bytes);
	ring = xcalloc(1, bytes);
	size = bytes;
	log_add_sink(keep, NULL);
}

void log_kept(struct buf *out)
{
	size_t from;

	pthread_mutex_lock(&lock);
	from = wrapped ? head : 0;
	if (wrapped) { /* the line that begins here was cut */
		const char *end = memchr(ring + from, '\n', size - from);

		from = end ? (size_t)(end - ring) + 1 : 0;
		if (from && from < size)
			buf_add(out, ring + from, size - from);
		from = 0;
		if (!end) {
			end = memchr(ring, '\n', head);
			from = end ? (size_t)(end - ring) + 1 : head;
		}
	}
	buf_add(out, ring ? ring + from : "", head - from);
	pthread_mutex_unlock(&lock);
}
