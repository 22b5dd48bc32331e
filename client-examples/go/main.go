// Loads a table in bulk and queries it with ADBC, and once more with database/sql.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/apache/arrow-adbc/go/adbc"
	"github.com/apache/arrow-adbc/go/adbc/driver/flightsql"
	sqldriver "github.com/apache/arrow-adbc/go/adbc/sqldriver"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func main() {
	options := map[string]string{adbc.OptionKeyURI: "grpc://127.0.0.1:31337"}
	if url := os.Getenv("FLIGHT_URL"); url != "" {
		options[adbc.OptionKeyURI] = url
	}
	if user := os.Getenv("FLIGHT_USER"); user != "" {
		options[adbc.OptionKeyUsername] = user
		options[adbc.OptionKeyPassword] = os.Getenv("FLIGHT_PASSWORD")
	}
	if file := os.Getenv("FLIGHT_TLS_CA"); file != "" {
		authority, err := os.ReadFile(file)
		check(err)
		options[flightsql.OptionSSLRootCerts] = string(authority)
	}
	withArrow(context.Background(), options)
	withDatabaseSQL(context.Background(), options)
}

// withArrow sends and reads batches of Arrow.
func withArrow(ctx context.Context, options map[string]string) {
	database, err := flightsql.NewDriver(memory.DefaultAllocator).NewDatabase(options)
	check(err)
	defer func() { check(database.Close()) }()
	connection, err := database.Open(ctx)
	check(err)
	defer func() { check(connection.Close()) }()

	load, err := connection.NewStatement()
	check(err)
	check(load.SetOption(adbc.OptionKeyIngestTargetTable, "rivers"))
	check(load.SetOption(adbc.OptionKeyIngestMode, adbc.OptionValueIngestModeReplace))
	check(load.Bind(ctx, rivers()))
	rows, err := load.ExecuteUpdate(ctx)
	check(err)
	check(load.Close())
	fmt.Println(rows, "rows loaded")

	query, err := connection.NewStatement()
	check(err)
	defer func() { check(query.Close()) }()
	check(query.SetSqlQuery("SELECT name, km FROM rivers WHERE km > 1000 ORDER BY km DESC"))
	batches, _, err := query.ExecuteQuery(ctx)
	check(err)
	defer batches.Release()
	for batches.Next() {
		batch := batches.RecordBatch()
		names, km := batch.Column(0).(*array.String), batch.Column(1).(*array.Int64)
		for row := range int(batch.NumRows()) {
			fmt.Println(names.Value(row), km.Value(row))
		}
	}
	check(batches.Err())
}

func rivers() arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "name", Type: arrow.BinaryTypes.String},
		{Name: "km", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.StringBuilder).AppendValues([]string{"Danube", "Rhine", "Thames"}, nil)
	builder.Field(1).(*array.Int64Builder).AppendValues([]int64{2850, 1233, 346}, nil)
	return builder.NewRecordBatch()
}

// withDatabaseSQL uses the same driver row by row, through the standard library.
func withDatabaseSQL(ctx context.Context, options map[string]string) {
	pairs := make([]string, 0, len(options))
	for key, value := range options {
		pairs = append(pairs, key+"="+value)
	}
	sql.Register("ducklake-flight", sqldriver.Driver{Driver: flightsql.NewDriver(memory.DefaultAllocator)})
	database, err := sql.Open("ducklake-flight", strings.Join(pairs, ";"))
	check(err)
	defer func() { check(database.Close()) }()

	// The driver takes the values of a query only when that is prepared.
	query, err := database.PrepareContext(ctx, "SELECT name FROM rivers WHERE km < ? ORDER BY name")
	check(err)
	defer func() { check(query.Close()) }()
	found, err := query.QueryContext(ctx, int64(2000))
	check(err)
	defer func() { check(found.Close()) }()
	for found.Next() {
		var name string
		check(found.Scan(&name))
		fmt.Println(name)
	}
	check(found.Err())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
