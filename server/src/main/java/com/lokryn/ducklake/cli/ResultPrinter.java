package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.ResultSink;
import java.io.IOException;

/** Writes results, each batch at once: a reader that has gone ends the next one. */
interface ResultPrinter extends ResultSink {
  /** A statement without a result is done, with a sentence for people. */
  void done(String sentence) throws IOException;
}
