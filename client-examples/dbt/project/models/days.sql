{{ config(materialized='incremental', unique_key='day', incremental_strategy='delete+insert') }}

select day, sum(km) as km from {{ ref('trips') }}
{% if is_incremental() %}
where day >= (select max(day) from {{ this }})
{% endif %}
group by day
