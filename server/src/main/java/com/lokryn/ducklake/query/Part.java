package com.lokryn.ducklake.query;

/**
 * A part of the result of a query, which any server of the lake can make by itself. It names no
 * files: which ones are its own, whoever makes it finds out.
 *
 * @param query of which it is a part
 * @param snapshot of the lake, the same for all parts
 * @param number of the part, from 0
 * @param of how many parts there are
 * @param digest of the files that the parts were made of
 */
public record Part(Portable query, long snapshot, int number, int of, String digest) {}
