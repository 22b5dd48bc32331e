{% macro ducklake_flight__current_timestamp() -%}
  current_timestamp
{%- endmacro %}

{# As columns of TIMESTAMP are, which snapshots compare it with. #}
{% macro ducklake_flight__snapshot_get_time() -%}
  (current_timestamp at time zone 'UTC')
{%- endmacro %}

{% macro ducklake_flight__dateadd(datepart, interval, from_date_or_timestamp) -%}
  {{ from_date_or_timestamp }} + ({{ interval }}) * interval 1 {{ datepart }}
{%- endmacro %}

{% macro ducklake_flight__datediff(first_date, second_date, datepart) -%}
  datediff('{{ datepart }}', {{ first_date }}, {{ second_date }})
{%- endmacro %}

{% macro ducklake_flight__safe_cast(field, type) -%}
  try_cast({{ field }} as {{ type }})
{%- endmacro %}
