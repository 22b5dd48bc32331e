// Package lake tests the server with the Go driver for ADBC, which the drivers of Python, R and others are built
// from, and with its database/sql form. FLIGHT_URL says where the server is.
package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-adbc/go/adbc"
	"github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestMain(m *testing.M) {
	if os.Getenv("FLIGHT_URL") == "" {
		fmt.Fprintln(os.Stderr, "FLIGHT_URL is not set: run test_go.py, which starts a server")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// connect opens a connection of its own, with the driver's cookies, which its session needs to last.
func connect(t *testing.T, options ...string) adbc.Connection {
	t.Helper()
	all := map[string]string{adbc.OptionKeyURI: os.Getenv("FLIGHT_URL"), flightsql.OptionCookieMiddleware: "true"}
	for i := 0; i < len(options); i += 2 {
		all[options[i]] = options[i+1]
	}
	database, err := flightsql.NewDriver(memory.DefaultAllocator).NewDatabase(all)
	must(t, err)
	connection, err := database.Open(t.Context())
	must(t, err)
	t.Cleanup(func() {
		must(t, connection.Close())
		must(t, database.Close())
	})
	return connection
}

func statement(t *testing.T, connection adbc.Connection, query string) adbc.Statement {
	t.Helper()
	one, err := connection.NewStatement()
	must(t, err)
	t.Cleanup(func() { must(t, one.Close()) })
	if query != "" {
		must(t, one.SetSqlQuery(query))
	}
	return one
}

// update runs a statement, and returns the rows that it changed.
func update(t *testing.T, connection adbc.Connection, query string) int64 {
	t.Helper()
	rows, err := statement(t, connection, query).ExecuteUpdate(t.Context())
	must(t, err)
	return rows
}

// rows returns what a query answers, a text for each row with its values between bars.
func rows(t *testing.T, connection adbc.Connection, query string) []string {
	t.Helper()
	reader, _, err := statement(t, connection, query).ExecuteQuery(t.Context())
	must(t, err)
	return read(t, reader)
}

func read(t *testing.T, reader array.RecordReader) []string {
	t.Helper()
	defer reader.Release()
	all := []string{}
	for reader.Next() {
		batch := reader.RecordBatch()
		for row := range int(batch.NumRows()) {
			values := make([]string, batch.NumCols())
			for column, data := range batch.Columns() {
				values[column] = data.ValueStr(row)
			}
			all = append(all, strings.Join(values, "|"))
		}
	}
	must(t, reader.Err())
	return all
}

// batch makes a batch with a number and a text of each row, from JSON.
func batch(t *testing.T, text string) arrow.RecordBatch {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	one, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(text))
	must(t, err)
	t.Cleanup(one.Release)
	return one
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same[T any](t *testing.T, got, expected T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		t.Fatalf("got %v, expected %v", got, expected)
	}
}

func refused(t *testing.T, err error, status adbc.Status) {
	t.Helper()
	var told adbc.Error
	if !errors.As(err, &told) || told.Code != status {
		t.Fatalf("got %v, expected the status %s", err, status)
	}
}

func TestQuery(t *testing.T) {
	connection := connect(t)
	same(t, rows(t, connection, "SELECT 42 AS i, 'x' AS s, NULL AS n"), []string{"42|x|(null)"})
	reader, _, err := statement(t, connection, "SELECT i FROM range(1000000) t(i)").ExecuteQuery(t.Context())
	must(t, err)
	same(t, len(read(t, reader)), 1_000_000)
}

func TestSchemaWithoutRunning(t *testing.T) {
	connection := connect(t)
	update(t, connection, "CREATE OR REPLACE TABLE unchanged (i BIGINT)")
	planner := statement(t, connection, "SELECT i, i::VARCHAR AS s FROM unchanged").(adbc.StatementExecuteSchema)
	schema, err := planner.ExecuteSchema(t.Context())
	must(t, err)
	same(t, schema.Field(0).Type.ID(), arrow.INT64)
	same(t, schema.Field(1).Type.ID(), arrow.STRING)
	_, err = statement(t, connection, "INSERT INTO unchanged VALUES (1)").(adbc.StatementExecuteSchema).
		ExecuteSchema(t.Context())
	must(t, err)
	same(t, rows(t, connection, "SELECT count(*) FROM unchanged"), []string{"0"})
}

func TestUpdateCounts(t *testing.T) {
	connection := connect(t)
	same(t, update(t, connection, "CREATE OR REPLACE TABLE counted (i INT)"), 0)
	same(t, update(t, connection, "INSERT INTO counted FROM range(5)"), 5)
	same(t, update(t, connection, "UPDATE counted SET i = i + 1 WHERE i < 3"), 3)
	same(t, update(t, connection, "DELETE FROM counted WHERE i = 5"), 0)
	same(t, update(t, connection, "DELETE FROM counted"), 5)
}

func TestPreparedStatements(t *testing.T) {
	connection := connect(t)
	update(t, connection, "CREATE OR REPLACE TABLE prepared (i BIGINT, s VARCHAR)")

	insert := statement(t, connection, "INSERT INTO prepared VALUES (?, ?)")
	must(t, insert.Prepare(t.Context()))
	parameters, err := insert.GetParameterSchema()
	must(t, err)
	same(t, parameters.NumFields(), 2)
	must(t, insert.Bind(t.Context(), batch(t, `[{"i": 1, "s": "a"}, {"i": 2, "s": null}, {"i": null, "s": "c"}]`)))
	count, err := insert.ExecuteUpdate(t.Context())
	must(t, err)
	same(t, count, 3)

	many, err := array.NewRecordReader(batch(t, "[]").Schema(), []arrow.RecordBatch{
		batch(t, `[{"i": 4, "s": "d"}]`), batch(t, "[]"), batch(t, `[{"i": 5, "s": "e"}, {"i": 6, "s": "f"}]`),
	})
	must(t, err)
	must(t, insert.BindStream(t.Context(), many))
	count, err = insert.ExecuteUpdate(t.Context())
	must(t, err)
	same(t, count, 3)
	same(t, rows(t, connection, "FROM prepared ORDER BY s NULLS FIRST"),
		[]string{"2|(null)", "1|a", "(null)|c", "4|d", "5|e", "6|f"})

	query := statement(t, connection, "SELECT s || ? AS s FROM prepared WHERE i = ?")
	must(t, query.Prepare(t.Context()))
	texts, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "1", Type: arrow.BinaryTypes.String}, {Name: "2", Type: arrow.PrimitiveTypes.Int32},
	}, nil), strings.NewReader(`[{"1": "!", "2": 1}, {"1": "?", "2": 5}, {"1": "-", "2": 99}]`))
	must(t, err)
	defer texts.Release()
	for range 2 {
		must(t, query.Bind(t.Context(), texts))
		reader, _, err := query.ExecuteQuery(t.Context())
		must(t, err)
		same(t, read(t, reader), []string{"a!", "e?"})
	}
}

func TestTransactions(t *testing.T) {
	connection := connect(t)
	other := connect(t)
	update(t, connection, "CREATE OR REPLACE TABLE moved (i INT)")
	refused(t, connection.Commit(t.Context()), adbc.StatusInvalidState)
	options := connection.(adbc.PostInitOptions)
	must(t, options.SetOption(adbc.OptionKeyAutoCommit, adbc.OptionValueDisabled))
	update(t, connection, "INSERT INTO moved VALUES (1)")
	same(t, rows(t, connection, "SELECT count(*) FROM moved"), []string{"1"})
	same(t, rows(t, other, "SELECT count(*) FROM moved"), []string{"0"})
	must(t, connection.Rollback(t.Context()))
	same(t, rows(t, connection, "SELECT count(*) FROM moved"), []string{"0"})
	update(t, connection, "INSERT INTO moved VALUES (2)")
	must(t, connection.Commit(t.Context()))
	same(t, rows(t, other, "FROM moved"), []string{"2"})

	// Both change the same row: the second to commit has to begin anew.
	same(t, update(t, connection, "UPDATE moved SET i = 3"), 1)
	same(t, update(t, other, "UPDATE moved SET i = 4"), 1)
	err := connection.Commit(t.Context())
	refused(t, err, adbc.StatusUnknown) // ADBC has no status for ABORTED.
	if !strings.Contains(strings.ToLower(err.Error()), "conflict") {
		t.Fatal(err)
	}
	same(t, rows(t, other, "FROM moved"), []string{"4"})
}

func ingest(t *testing.T, connection adbc.Connection, mode, text string, options ...string) (int64, error) {
	t.Helper()
	one := statement(t, connection, "")
	must(t, one.SetOption(adbc.OptionKeyIngestTargetTable, "loaded"))
	must(t, one.SetOption(adbc.OptionKeyIngestMode, mode))
	for i := 0; i < len(options); i += 2 {
		must(t, one.SetOption(options[i], options[i+1]))
	}
	must(t, one.Bind(t.Context(), batch(t, text)))
	return one.ExecuteUpdate(t.Context())
}

func TestIngest(t *testing.T) {
	connection := connect(t)
	update(t, connection, "DROP TABLE IF EXISTS loaded")
	_, err := ingest(t, connection, adbc.OptionValueIngestModeAppend, `[{"i": 1}]`)
	refused(t, err, adbc.StatusNotFound)
	for _, step := range []struct {
		mode, rows string
		there      []string
	}{
		{adbc.OptionValueIngestModeCreate, `[{"i": 1, "s": "a"}]`, []string{"1|a"}},
		{adbc.OptionValueIngestModeAppend, `[{"i": 2, "s": null}]`, []string{"1|a", "2|(null)"}},
		{adbc.OptionValueIngestModeReplace, `[{"i": 3, "s": "c"}]`, []string{"3|c"}},
		{adbc.OptionValueIngestModeCreateAppend, `[{"i": 4, "s": "d"}]`, []string{"3|c", "4|d"}},
	} {
		count, err := ingest(t, connection, step.mode, step.rows)
		must(t, err)
		same(t, count, 1)
		same(t, rows(t, connection, "FROM loaded ORDER BY i"), step.there)
	}
	_, err = ingest(t, connection, adbc.OptionValueIngestModeCreate, `[{"i": 1}]`)
	refused(t, err, adbc.StatusAlreadyExists)
	_, err = ingest(t, connection, adbc.OptionValueIngestModeCreate, `[{"i": 5}]`,
		adbc.OptionValueIngestTemporary, adbc.OptionValueEnabled)
	must(t, err)
	same(t, rows(t, connection, "SELECT i FROM temp.loaded"), []string{"5"})
	update(t, connection, "CREATE SCHEMA IF NOT EXISTS elsewhere")
	update(t, connection, "DROP TABLE IF EXISTS elsewhere.loaded")
	_, err = ingest(t, connection, adbc.OptionValueIngestModeCreateAppend, `[{"i": 6}]`,
		adbc.OptionValueIngestTargetCatalog, "lake", adbc.OptionValueIngestTargetDBSchema, "elsewhere")
	must(t, err)
	same(t, rows(t, connection, "SELECT i FROM elsewhere.loaded"), []string{"6"})
	same(t, rows(t, connection, "SELECT count(*) FROM lake.main.loaded"), []string{"2"})
}

func TestObjects(t *testing.T) {
	connection := connect(t)
	update(t, connection, "CREATE SCHEMA IF NOT EXISTS go_shop")
	update(t, connection, "CREATE OR REPLACE TABLE go_shop.orders (id BIGINT NOT NULL, note VARCHAR)")
	catalog, schema, table := "lake", "go_shop", "ord%"
	for _, expected := range []struct {
		depth adbc.ObjectDepth
		found string
	}{
		{adbc.ObjectDepthCatalogs, `lake`},
		{adbc.ObjectDepthDBSchemas, `lake.go_shop`},
		{adbc.ObjectDepthTables, `lake.go_shop.orders:TABLE`},
		{adbc.ObjectDepthColumns, `lake.go_shop.orders:TABLE(id,note)`},
	} {
		reader, err := connection.GetObjects(t.Context(), expected.depth, &catalog, &schema, &table, nil, nil)
		must(t, err)
		same(t, found(t, reader), []string{expected.found})
	}
	nowhere, column := "nowhere", "i_"
	reader, err := connection.GetObjects(t.Context(), adbc.ObjectDepthAll, &nowhere, nil, nil, nil, nil)
	must(t, err)
	same(t, found(t, reader), []string{})
	reader, err = connection.GetObjects(t.Context(), adbc.ObjectDepthAll, &catalog, &schema, nil, &column,
		[]string{"TABLE"})
	must(t, err)
	same(t, found(t, reader), []string{"lake.go_shop.orders:TABLE(id)"})
}

// found returns what GetObjects answers, as texts.
func found(t *testing.T, reader array.RecordReader) []string {
	t.Helper()
	defer reader.Release()
	all := []string{}
	for reader.Next() {
		text, err := reader.RecordBatch().MarshalJSON()
		must(t, err)
		var catalogs []struct {
			Name    string `json:"catalog_name"`
			Schemas []struct {
				Name   string `json:"db_schema_name"`
				Tables []struct {
					Name    string `json:"table_name"`
					Type    string `json:"table_type"`
					Columns []struct {
						Name string `json:"column_name"`
					} `json:"table_columns"`
				} `json:"db_schema_tables"`
			} `json:"catalog_db_schemas"`
		}
		must(t, json.Unmarshal(text, &catalogs))
		for _, catalog := range catalogs {
			if len(catalog.Schemas) == 0 {
				all = append(all, catalog.Name)
			}
			for _, schema := range catalog.Schemas {
				path := catalog.Name + "." + schema.Name
				if len(schema.Tables) == 0 {
					all = append(all, path)
				}
				for _, table := range schema.Tables {
					one := path + "." + table.Name + ":" + table.Type
					if len(table.Columns) > 0 {
						names := []string{}
						for _, column := range table.Columns {
							names = append(names, column.Name)
						}
						one += "(" + strings.Join(names, ",") + ")"
					}
					all = append(all, one)
				}
			}
		}
	}
	must(t, reader.Err())
	return all
}

func TestTableSchema(t *testing.T) {
	connection := connect(t)
	update(t, connection, "CREATE OR REPLACE TABLE described_go (i INT NOT NULL, d DECIMAL(9, 2))")
	catalog, schema := "lake", "main"
	found, err := connection.GetTableSchema(t.Context(), &catalog, &schema, "described_go")
	must(t, err)
	same(t, found.Field(0).Type.String(), "int32")
	same(t, found.Field(0).Nullable, false)
	same(t, found.Field(1).Type.String(), "decimal(9, 2)")
	_, err = connection.GetTableSchema(t.Context(), nil, nil, "nothing_here")
	refused(t, err, adbc.StatusNotFound)
}

func TestInfoAndTableTypes(t *testing.T) {
	connection := connect(t)
	reader, err := connection.GetInfo(t.Context(), []adbc.InfoCode{adbc.InfoVendorName, adbc.InfoVendorArrowVersion})
	must(t, err)
	answer := strings.Join(read(t, reader), "\n")
	if !strings.Contains(answer, "ducklake-flight") || strings.Contains(answer, "null") {
		t.Fatal(answer)
	}
	reader, err = connection.GetTableTypes(t.Context())
	must(t, err)
	same(t, read(t, reader), []string{"LOCAL TEMPORARY", "TABLE", "VIEW"})
}

func TestPartitions(t *testing.T) {
	connection := connect(t)
	schema, partitions, _, err := statement(t, connection, "SELECT i FROM range(10) t(i)").ExecutePartitions(t.Context())
	must(t, err)
	same(t, schema.Field(0).Name, "i")
	same(t, partitions.NumPartitions, 1)
	// Another process would read it over a connection of its own.
	reader, err := connect(t).ReadPartition(t.Context(), partitions.PartitionIDs[0])
	must(t, err)
	same(t, len(read(t, reader)), 10)
	_, err = connection.ReadPartition(t.Context(), []byte("nonsense"))
	refused(t, err, adbc.StatusInvalidArgument)
}

func TestSessionOptions(t *testing.T) {
	connection := connect(t)
	update(t, connection, "CREATE SCHEMA IF NOT EXISTS current_go")
	options := connection.(adbc.GetSetOptions)
	get := func(key string) string {
		t.Helper()
		value, err := options.GetOption(key)
		must(t, err)
		return value
	}
	same(t, get(adbc.OptionKeyCurrentCatalog), "lake")
	same(t, get(adbc.OptionKeyCurrentDbSchema), "main")
	set := connection.(adbc.PostInitOptions).SetOption
	must(t, set(adbc.OptionKeyCurrentDbSchema, "current_go"))
	same(t, get(adbc.OptionKeyCurrentDbSchema), "current_go")
	same(t, rows(t, connection, "SELECT current_schema()"), []string{"current_go"})
	refused(t, set(adbc.OptionKeyCurrentDbSchema, "nowhere"), adbc.StatusInvalidArgument)
	refused(t, set(adbc.OptionKeyCurrentCatalog, "nowhere"), adbc.StatusInvalidArgument)
	must(t, set(flightsql.OptionSessionOptionPrefix+"integer_division", "true"))
	same(t, rows(t, connection, "SELECT 7 / 2"), []string{"3"})
	var all map[string]any
	must(t, json.Unmarshal([]byte(get(flightsql.OptionSessionOptions)), &all))
	same(t, all["schema"], "current_go")
}

func TestSessions(t *testing.T) {
	connection := connect(t)
	update(t, connection, "CREATE TEMP TABLE mine (i INT)")
	update(t, connection, "INSERT INTO mine VALUES (1)")
	same(t, rows(t, connection, "FROM mine"), []string{"1"})
	_, _, err := statement(t, connect(t), "FROM mine").ExecuteQuery(t.Context())
	refused(t, err, adbc.StatusNotFound)
}

func TestCancellation(t *testing.T) {
	connection := connect(t)
	for name, query := range map[string]string{
		"before the first row": "SELECT count(*) FROM range(100000000) a, range(100000000) b",
		"among the rows":       "SELECT i FROM range(100000000000) t(i)",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			started := time.Now()
			reader, _, err := statement(t, connection, query).ExecuteQuery(ctx)
			if err == nil {
				for reader.Next() {
				}
				err = reader.Err()
				reader.Release()
			}
			var told adbc.Error
			if !errors.As(err, &told) || !slices.Contains([]adbc.Status{adbc.StatusCancelled, adbc.StatusTimeout}, told.Code) {
				t.Fatalf("it was not cancelled: %v", err)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Fatalf("it took %s", took)
			}
		})
	}
	same(t, rows(t, connection, "SELECT 1"), []string{"1"})
}

func TestErrors(t *testing.T) {
	connection := connect(t)
	update(t, connection, "CREATE OR REPLACE TABLE there (i INT)")
	for query, status := range map[string]adbc.Status{
		"SELEC 1":                      adbc.StatusInvalidArgument,
		"SELECT x FROM there":          adbc.StatusInvalidArgument,
		"SELECT 'x'::INT":              adbc.StatusInvalidArgument,
		"SELECT 1; SELECT 2":           adbc.StatusInvalidArgument,
		"FROM nowhere":                 adbc.StatusNotFound,
		"CREATE TABLE there (i INT)":   adbc.StatusAlreadyExists,
		"FROM read_csv('/etc/passwd')": adbc.StatusUnauthorized,
	} {
		t.Run(query, func(t *testing.T) {
			reader, _, err := statement(t, connection, query).ExecuteQuery(t.Context())
			if err == nil {
				for reader.Next() {
				}
				err = reader.Err()
				reader.Release()
			}
			refused(t, err, status)
		})
	}
	reader, _, err := statement(t, connection,
		"SELECT CASE WHEN i = 900000 THEN error('boom') ELSE i::VARCHAR END FROM range(1000000) t(i)").
		ExecuteQuery(t.Context())
	must(t, err)
	defer reader.Release()
	for reader.Next() {
	}
	if err := reader.Err(); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Fatal(err)
	}
	plan := statement(t, connection, "")
	must(t, plan.SetSubstraitPlan([]byte("plan")))
	_, _, err = plan.ExecuteQuery(t.Context())
	refused(t, err, adbc.StatusNotImplemented)
}
