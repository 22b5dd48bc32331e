package lake

import (
	"context"
	"database/sql"
	"os"
	"testing"

	_ "github.com/apache/arrow-adbc/go/adbc/sqldriver/flightsql"
)

// TestDatabaseSQL uses the driver as most programs in Go do.
func TestDatabaseSQL(t *testing.T) {
	database, err := sql.Open("flightsql", "uri="+os.Getenv("FLIGHT_URL"))
	must(t, err)
	defer func() { must(t, database.Close()) }()
	must(t, database.Ping())
	exec := func(query string, values ...any) int64 {
		t.Helper()
		result, err := database.Exec(query, values...)
		must(t, err)
		count, err := result.RowsAffected()
		must(t, err)
		return count
	}
	exec("CREATE OR REPLACE TABLE people (id BIGINT, name VARCHAR, size DOUBLE, born TIMESTAMP)")
	same(t, exec("INSERT INTO people VALUES (?, ?, ?, NULL)", int64(1), "Ana", 1.7), 1)
	same(t, exec("INSERT INTO people SELECT i, 'n' || i, NULL, '2020-02-03 04:05:06' FROM range(2, 5) t(i)"), 3)

	// The driver takes the values of a query only when that is prepared.
	query, err := database.Prepare("SELECT id, name, size FROM people WHERE id <= ? ORDER BY id")
	must(t, err)
	defer func() { must(t, query.Close()) }()
	found, err := query.Query(int64(2))
	must(t, err)
	defer func() { must(t, found.Close()) }()
	var names []string
	for found.Next() {
		var id int64
		var name string
		var size sql.NullFloat64
		must(t, found.Scan(&id, &name, &size))
		same(t, size.Valid, id == 1)
		names = append(names, name)
	}
	must(t, found.Err())
	same(t, names, []string{"Ana", "n2"})

	count := func() (rows int64) {
		t.Helper()
		must(t, database.QueryRow("SELECT count(*) FROM people").Scan(&rows))
		return rows
	}
	for _, commit := range []bool{false, true} {
		work, err := database.BeginTx(context.Background(), nil)
		must(t, err)
		_, err = work.Exec("DELETE FROM people WHERE id > 2")
		must(t, err)
		if commit {
			must(t, work.Commit())
			same(t, count(), 2)
		} else {
			must(t, work.Rollback())
			same(t, count(), 4)
		}
	}
}
