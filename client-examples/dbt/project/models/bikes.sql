{{ config(materialized='table') }}

select bike, count(*) as trips, sum(km) as km, max(day) as last_day
from {{ ref('known_trips') }}
group by bike
