/** AWS: its clients, and what of the process's credentials, configuration and bucket they tell. */
@NullMarked
package com.lokryn.ducklake.aws;

import org.jspecify.annotations.NullMarked;
