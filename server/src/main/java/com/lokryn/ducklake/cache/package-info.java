/** Results that are kept, since the same question of the same snapshot has the same answer. */
@NullMarked
package com.lokryn.ducklake.cache;

import org.jspecify.annotations.NullMarked;
