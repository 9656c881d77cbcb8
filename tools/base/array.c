// SPDX-License-Identifier: MIT
/* Arrays that grow by one item at a time. */
#include "array.h"

#include <stdlib.h>
#include <string.h>

#define FSK_ARRAY_MIN	16	/* items; then twice as many each time */

/**
 * fsk_array_grow() - make room for one more item
 * @items: the array, from this function only, or %NULL
 * @count: items in it; 0 forgets those that were in it
 * @size: of an item
 *
 * The room of an array follows from its count: %FSK_ARRAY_MIN, and from there
 * on the next power of two.
 *
 * Return: the array, which may have moved, with zeroes as item number @count;
 *         %NULL without memory, then @items is as it was.
 */
void *fsk_array_grow(void *items, size_t count, size_t size)
{
	size_t room = 0;

	if (!count)
		room = FSK_ARRAY_MIN;
	else if (count >= FSK_ARRAY_MIN && !(count & (count - 1)))
		room = 2 * count;
	if (room)
		items = reallocarray(items, room, size);
	if (items)
		memset((char *)items + count * size, 0, size);
	return items;
}
