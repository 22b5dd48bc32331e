package com.lokryn.ducklake.doctor;

import com.lokryn.ducklake.config.Finding;

/** How a check ended. */
public record CheckResult(Check check, Finding finding) {}
