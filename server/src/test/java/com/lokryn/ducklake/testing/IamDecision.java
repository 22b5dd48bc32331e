package com.lokryn.ducklake.testing;

/** A permission that was asked for, and whether the policy gave it. */
public record IamDecision(String action, String resource, boolean allowed) {}
