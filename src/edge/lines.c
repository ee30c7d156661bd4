/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c - see lines.h. */
#include "edge/lines.h"

#include "base/log.h"

#include <pthread.h>
#include <unistd.h>

#define KEPT 128
#define LINE_BYTES 1024 /* a longer one stays local */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a listener may log, too */
static struct {
	size_t n;
	char text[LINE_BYTES];
} kept[KEPT];
static uint64_t first, next, sending; /* counted since start: line i is kept[i % KEPT]; sending: behind the last of the packet begun */

static void keep(UNUSED void *arg, UNUSED enum log_level level, UNUSED long pid, const char *line, size_t n)
{
	if (n > LINE_BYTES)
		return;
	pthread_mutex_lock(&lock);
	kept[next % KEPT].n = n;
	memcpy(kept[next % KEPT].text, line, n);
	next++;
	first = MAX(first, next > KEPT ? next - KEPT : 0);
	pthread_mutex_unlock(&lock);
}

void lines_keep(void)
{
	log_add_sink(keep, NULL);
}

bool lines_begin(struct feed_builder *b, uint64_t start)
{
	bool some;

	feed_start(b, FEED_LOG, start, (uint64_t)getpid());
	pthread_mutex_lock(&lock);
	for (sending = first; sending < next; sending++)
		if (!feed_add_line(b, (struct str){ kept[sending % KEPT].text, kept[sending % KEPT].n }))
			break;
	some = sending > first;
	pthread_mutex_unlock(&lock);
	return some;
}

void lines_sent(void)
{
	pthread_mutex_lock(&lock);
	first = MAX(first, sending);
	pthread_mutex_unlock(&lock);
}
