{{ config(materialized='incremental', unique_key='id') }}

select id, bike, km, changed_at from {{ ref('trips') }}
{% if is_incremental() %}
where changed_at > (select max(changed_at) from {{ this }})
{% endif %}
