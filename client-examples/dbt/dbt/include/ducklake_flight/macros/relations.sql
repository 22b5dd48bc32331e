{# DuckLake has no DROP ... CASCADE of tables and views, and nothing depends on them. #}
{% macro ducklake_flight__drop_table(relation) -%}
  drop table if exists {{ relation.render() }}
{%- endmacro %}

{% macro ducklake_flight__drop_view(relation) -%}
  drop view if exists {{ relation.render() }}
{%- endmacro %}

{% macro ducklake_flight__rename_relation(from_relation, to_relation) -%}
  {% call statement('rename_relation') -%}
    alter {{ from_relation.type or 'table' }} {{ from_relation.render() }}
    rename to {{ adapter.quote(to_relation.identifier) }}
  {%- endcall %}
{% endmacro %}

{# Temporary tables are not in the lake. #}
{% macro ducklake_flight__make_temp_relation(base_relation, suffix) %}
  {{ return(base_relation.incorporate(
      path={'database': none, 'schema': none, 'identifier': base_relation.identifier ~ suffix})) }}
{% endmacro %}

{% macro ducklake_flight__create_table_as(temporary, relation, sql) -%}
  {%- if config.get('contract').enforced and not temporary -%}
    {{ get_assert_columns_equivalent(sql) }}
    {%- set sql = get_select_subquery(sql) -%}
  {%- endif -%}
  create {% if temporary %}temporary {% endif %}table
  {{ relation.include(database=not temporary, schema=not temporary) }} as (
    {{ sql }}
  )
{%- endmacro %}

{% macro ducklake_flight__get_binding_char() %}
  {{ return('?') }}
{% endmacro %}

{% macro ducklake_flight__get_batch_size() %}
  {{ return(500) }}
{% endmacro %}

{% macro ducklake_flight__alter_relation_comment(relation, comment) -%}
  comment on {{ relation.type }} {{ relation.render() }} is '{{ escape_single_quotes(comment) }}'
{%- endmacro %}

{# The server takes one statement at a time, and views have no comments on columns. #}
{% macro ducklake_flight__alter_column_comment(relation, columns) -%}
  {% if not relation.is_view %}
    {% for name, column in columns.items() if column['description'] %}
      {% do run_query("comment on column " ~ relation.render() ~ "." ~ adapter.quote(name) ~ " is '"
          ~ escape_single_quotes(column['description']) ~ "'") %}
    {% endfor %}
  {% endif %}
{%- endmacro %}
