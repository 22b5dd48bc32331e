package com.lokryn.ducklake.access;

/**
 * Someone who has come in.
 *
 * @param name tells them from all others
 */
public record Identity(String name, Role role) {}
