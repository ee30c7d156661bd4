/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/assert.h"

#include "base/ulid.h"

static void ids_grow_even_when_the_clock_does_not(void **state UNUSED)
{
	struct ulid last = ulid_new(1000);

	for (int i = 0; i < 10000; i++) {
		struct ulid id = ulid_new(i % 2 ? 1000 : 900);

		ASSERT_TRUE(strcmp(last.s, id.s) < 0);
		ASSERT_TRUE(ulid_valid(id.s));
		last = id;
	}
}

static void other_texts_are_no_ids(void **state UNUSED)
{
	ASSERT_FALSE(ulid_valid(""));
	ASSERT_FALSE(ulid_valid("01ARZ3NDEKTSV4RRFFQ69G5FA"));
	ASSERT_FALSE(ulid_valid("01ARZ3NDEKTSV4RRFFQ69G5FAVX"));
	ASSERT_FALSE(ulid_valid("01ARZ3NDEKTSV4RRFFQ69G5FAI"));
	ASSERT_FALSE(ulid_valid("81ARZ3NDEKTSV4RRFFQ69G5FAV"));
	ASSERT_FALSE(ulid_valid("01arz3ndektsv4rrffq69g5fav"));
	ASSERT_TRUE(ulid_valid("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(ids_grow_even_when_the_clock_does_not), TEST(other_texts_are_no_ids) };

	return RUN(tests);
}
