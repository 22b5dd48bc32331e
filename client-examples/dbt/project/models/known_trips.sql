{{ config(materialized='view') }}

select id, bike, day, km, changed_at from {{ ref('trips') }} where bike is not null
