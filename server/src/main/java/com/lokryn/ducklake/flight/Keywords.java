package com.lokryn.ducklake.flight;

import java.util.List;

/** Words for SqlInfo, as tools read them to quote names and to complete what a user types. */
final class Keywords {
  /**
   * What a column can be called only in quotes: {@code duckdb_keywords()} where the category is
   * 'reserved' or 'type_function'.
   */
  static final List<String> RESERVED =
      words(
          """
          all analyse analyze and anti any array as asc asof asymmetric at authorization binary
          both by case cast check collate collation column columns concurrently constraint
          create cross default deferrable desc describe distinct do else end except false fetch
          for foreign freeze from full generated glob group having ilike in initially inner
          intersect into is isnull join lambda lateral leading left like limit map natural not
          notnull null offset on only or order outer overlaps pivot pivot_longer pivot_wider
          placing positional primary qualify references returning right select semi show
          similar some struct summarize symmetric table tablesample then to trailing true
          try_cast union unique unpack unpivot using variadic verbose when where window with
          """);

  static final List<String> NUMERIC_FUNCTIONS =
      words(
          """
          abs acos acosh asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot
          degrees even exp factorial floor gamma gcd greatest isfinite isinf isnan lcm least
          lgamma ln log log10 log2 mod nextafter pi pow power radians random round setseed sign
          signbit sin sinh sqrt tan tanh trunc xor
          """);

  static final List<String> STRING_FUNCTIONS =
      words(
          """
          ascii bar base64 bit_length char_length character_length chr concat concat_ws
          contains damerau_levenshtein ends_with format from_base64 hamming hash hex instr
          jaccard jaro_similarity jaro_winkler_similarity lcase left length levenshtein
          like_escape lower lpad ltrim md5 nfc_normalize octet_length ord position prefix
          printf regexp_extract regexp_extract_all regexp_full_match regexp_matches
          regexp_replace regexp_split_to_array repeat replace reverse right rpad rtrim sha1
          sha256 split split_part starts_with str_split string_split strip_accents strlen
          strpos substr substring suffix translate trim ucase unhex unicode upper url_decode
          url_encode
          """);

  static final List<String> SYSTEM_FUNCTIONS =
      words(
          """
          coalesce current_catalog current_database current_query current_role current_schema
          current_schemas current_setting current_user gen_random_uuid if ifnull nullif
          pg_typeof session_user typeof user uuid version
          """);

  static final List<String> DATETIME_FUNCTIONS =
      words(
          """
          age century current_date current_time current_timestamp date_add date_diff date_part
          date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth
          dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era extract
          get_current_time get_current_timestamp hour isodow isoyear julian last_day localtime
          localtimestamp make_date make_time make_timestamp make_timestamptz microsecond
          millennium millisecond minute month monthname now quarter second strftime strptime
          time_bucket timezone timezone_hour to_days to_hours to_milliseconds to_minutes
          to_months to_seconds to_timestamp to_weeks to_years today transaction_timestamp
          try_strptime week weekday weekofyear year yearweek
          """);

  private Keywords() {}

  private static List<String> words(String text) {
    return List.of(text.strip().split("\\s+"));
  }
}
