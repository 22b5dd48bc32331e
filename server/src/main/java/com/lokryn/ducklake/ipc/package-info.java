/**
 * Arrow IPC messages that come from outside: nothing in them is believed. What passes holds what it
 * says, without dictionaries, so that the engine can read its memory unchecked.
 */
@NullMarked
package com.lokryn.ducklake.ipc;

import org.jspecify.annotations.NullMarked;
