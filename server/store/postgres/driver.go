package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPool makes a pool of connections, none of which is open yet. It is database/sql's,
// for the record's queries and transactions are written for that; pgx's own pool would be
// a second way to say the same.
func openPool(config *pgx.ConnConfig, most int) *sql.DB {
	db := sql.OpenDB(connector{stdlib.GetConnector(*config)})
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db
}

// connector makes connections that take the parameters of the shared SQL.
type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	std, ok := made.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("pgx made a %T", made)
	}
	return &conn{std}, nil
}

// conn takes ? for $1, $2, … and arguments as database/sql converts them for any
// driver.
type conn struct{ *stdlib.Conn }

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	made, err := c.Conn.PrepareContext(ctx, numbered(query))
	if err != nil {
		return nil, err
	}
	std, ok := made.(*stdlib.Stmt)
	if !ok {
		return nil, fmt.Errorf("pgx made a %T", made)
	}
	return statement{std}, nil
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, numbered(query), args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, numbered(query), args)
}

// CheckNamedValue converts an argument.
func (*conn) CheckNamedValue(v *driver.NamedValue) error { return convert(v) }

// statement is a prepared one.
type statement struct{ *stdlib.Stmt }

// CheckNamedValue converts an argument.
func (statement) CheckNamedValue(v *driver.NamedValue) error { return convert(v) }

// convert converts as database/sql does by default; slices are left to pgx, as arrays.
func convert(v *driver.NamedValue) (err error) {
	if kind := reflect.ValueOf(v.Value).Kind(); kind == reflect.Slice && reflect.TypeOf(v.Value).Elem().Kind() != reflect.Uint8 {
		return nil
	}
	if v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value); err != nil {
		return err
	}
	if text, ok := v.Value.(string); ok {
		v.Value = Storable(text)
	}
	return nil
}

// Storable is a text as PostgreSQL can keep it: in UTF-8, without NUL, which stand as
// U+FFFD. Strangers write paths and names of browsers.
func Storable(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// numberedQueries has queries by their text with ?: there are some hundred.
var numberedQueries sync.Map

// numbered is a query with $1, $2, … for each ?. The shared SQL has no other ?.
func numbered(query string) string {
	if done, ok := numberedQueries.Load(query); ok {
		return done.(string)
	}
	parts := strings.Split(query, "?")
	var out strings.Builder
	for i, part := range parts {
		out.WriteString(part)
		if i < len(parts)-1 {
			out.WriteByte('$')
			out.WriteString(strconv.Itoa(i + 1))
		}
	}
	numberedQueries.Store(query, out.String())
	return out.String()
}
