{% macro ducklake_flight__list_schemas(database) -%}
  {{ return(run_query("select schema_name from information_schema.schemata where catalog_name = '"
      ~ database ~ "'")) }}
{% endmacro %}

{% macro ducklake_flight__check_schema_exists(information_schema, schema) -%}
  {{ return(run_query("select count(*) from information_schema.schemata where catalog_name = '"
      ~ information_schema.database ~ "' and schema_name = '" ~ schema ~ "'")) }}
{% endmacro %}

{% macro ducklake_flight__list_relations_without_caching(schema_relation) %}
  {% call statement('list_relations_without_caching', fetch_result=True) -%}
    select table_catalog as database, table_name as name, table_schema as schema,
      case table_type when 'VIEW' then 'view' else 'table' end as type
    from information_schema.tables
    where table_catalog = '{{ schema_relation.database }}'
      and lower(table_schema) = lower('{{ schema_relation.schema }}')
  {% endcall %}
  {{ return(load_result('list_relations_without_caching').table) }}
{% endmacro %}

{% macro ducklake_flight__get_columns_in_relation(relation) -%}
  {% call statement('get_columns_in_relation', fetch_result=True) %}
    describe {{ relation.render() }}
  {% endcall %}
  {% set columns = [] %}
  {% for row in load_result('get_columns_in_relation').table %}
    {% do columns.append(api.Column(row['column_name'], row['column_type'])) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% macro ducklake_flight__get_catalog(information_schema, schemas) -%}
  {% call statement('catalog', fetch_result=True) -%}
    select t.table_catalog as table_database, t.table_schema, t.table_name, t.table_type,
      t.table_comment as table_comment, null::varchar as table_owner, c.column_name,
      c.ordinal_position as column_index, c.data_type as column_type, c.column_comment as column_comment
    from information_schema.tables t
    join information_schema.columns c using (table_catalog, table_schema, table_name)
    where t.table_catalog = '{{ information_schema.database }}'
      and lower(t.table_schema) in (
        {%- for schema in schemas -%}lower('{{ schema }}'){% if not loop.last %}, {% endif %}{%- endfor -%}
      )
    order by t.table_schema, t.table_name, c.ordinal_position
  {%- endcall %}
  {{ return(load_result('catalog').table) }}
{% endmacro %}
