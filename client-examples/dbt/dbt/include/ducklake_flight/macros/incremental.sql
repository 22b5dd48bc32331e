{% macro ducklake_flight__get_incremental_default_sql(arguments) %}
  {% if arguments['unique_key'] %}
    {{ return(get_incremental_merge_sql(arguments)) }}
  {% endif %}
  {{ return(get_incremental_append_sql(arguments)) }}
{% endmacro %}

{# The server takes one statement at a time: the DELETE is run here, in the transaction of the INSERT. #}
{% macro ducklake_flight__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
  {% if unique_key %}
    {% set keys = ([unique_key] if unique_key is string else unique_key) | join(', ') %}
    {% set delete %}
      delete from {{ target }} as DBT_INTERNAL_DEST
      where ({{ keys }}) in (select {{ keys }} from {{ source }} as DBT_INTERNAL_SOURCE)
      {% for predicate in incremental_predicates or [] %}
        and {{ predicate }}
      {% endfor %}
    {% endset %}
    {% do run_query(delete) %}
  {% endif %}
  {% set columns = get_quoted_csv(dest_columns | map(attribute='name')) %}
  insert into {{ target }} ({{ columns }}) (select {{ columns }} from {{ source }})
{%- endmacro %}

{% macro ducklake_flight__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
  {% for column in add_columns or [] %}
    {% do run_query("alter table " ~ relation.render() ~ " add column " ~ column.quoted ~ " " ~ column.expanded_data_type) %}
  {% endfor %}
  {% for column in remove_columns or [] %}
    {% do run_query("alter table " ~ relation.render() ~ " drop column " ~ column.quoted) %}
  {% endfor %}
{% endmacro %}

{% macro ducklake_flight__alter_column_type(relation, column_name, new_column_type) -%}
  {% do run_query("alter table " ~ relation.render() ~ " alter column " ~ adapter.quote(column_name) ~ " set data type " ~ new_column_type) %}
{% endmacro %}
