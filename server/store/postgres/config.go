// Package postgres is what the record needs of PostgreSQL that SQLite has not, or has in
// another way: how it is reached, parameters, kinds of errors, locks that hold between
// processes, partitions, and room on its disk. It knows no query of the record's.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// Limits of the connections to one schema. Of the record's two together they are
// MaxConnections.
const (
	// writers: one, as with SQLite. What reads and then writes within a transaction
	// relies on nobody else of this process doing so; a transaction takes a millisecond.
	writers = 1
	// readers are pages that are read in parallel: a search holds one for a second.
	readers = 4
	// keepers hold the server's lock and look after tables, apart from who writes rows.
	keepers = 2
	// MaxConnections is what a server takes of the database's max_connections.
	MaxConnections = 2 * (writers + readers + keepers)

	// connectTimeout is how long one attempt to connect may take: a write that waits for
	// it is given up by then.
	connectTimeout = 5 * time.Second
	// cancelWithin is how long the database has to confirm that it gave a statement up,
	// before the connection is given up instead.
	cancelWithin = time.Second
	// keeperLockTimeout is how long looking after a table waits for those who use it, for
	// those who come after wait behind it.
	keeperLockTimeout = time.Second
	// idleInTransaction ends the transaction of a server that stands still, which would
	// keep its locks.
	idleInTransaction = 15 * time.Second
	// keepAlive is after how long without an answer a connection is tried; after three
	// more tries the database lets go of its locks.
	keepAlive = 5 * time.Second
	// oldest is the oldest version that its makers still maintain.
	oldest = 15
)

// ErrAddress is of an address that can't be meant.
var ErrAddress = errors.New("postgres://USER@HOST:PORT/DATABASE is wanted")

// Address is a database, checked and without a password.
type Address struct{ config *pgx.ConnConfig }

// ParseAddress reads postgres://user@host/database?sslmode=…, as libpq does, with what
// libpq takes from the environment and from files: PGPASSWORD, PGPASSFILE, ~/.pgpass,
// PGSSLROOTCERT. A password in the address is refused: others see command lines.
// Beyond this machine the certificate is checked where nothing else is said.
func ParseAddress(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return Address{}, ErrAddress // without err, which has the text
	}
	q := u.Query()
	if _, has := u.User.Password(); has || q.Has("password") {
		return Address{}, errors.New("a password doesn't belong here, where others see it: write it into ~/.pgpass or the file of PGPASSFILE (HOST:PORT:DATABASE:USER:PASSWORD, mode 0600), or into PGPASSWORD")
	}
	config, err := pgx.ParseConfig(text)
	if err == nil && !q.Has("sslmode") && !isNear(config.Host) && mayBePlain(config) {
		q.Set("sslmode", "verify-full")
		u.RawQuery = q.Encode()
		config, err = pgx.ParseConfig(u.String())
	}
	if err != nil {
		return Address{}, fmt.Errorf("%w: %s", ErrAddress, withoutSecret(err, text))
	}
	if config.Database == "" {
		config.Database = config.User
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.ValidateConnect == nil { // of several hosts, the one that can be written
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	return Address{config}, nil
}

// isNear reports that packets to a host don't leave this machine.
func isNear(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || filepath.IsAbs(host) || err == nil && address.IsLoopback()
}

// mayBePlain reports that a connection would go on without TLS where the other side has
// none: what libpq does by default.
func mayBePlain(config *pgx.ConnConfig) bool {
	return slices.ContainsFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return (f.TLSConfig == nil) != (config.TLSConfig == nil)
	})
}

// withoutSecret is an error's text without the address.
func withoutSecret(err error, address string) string {
	return strings.ReplaceAll(err.Error(), address, "the address")
}

// String names the database for people: host, port and name.
func (a Address) String() string {
	return net.JoinHostPort(a.config.Host, strconv.Itoa(int(a.config.Port))) + "/" + a.config.Database
}

// role is what connections are for.
type role int

const (
	toWrite role = iota
	toRead
	toKeep
)

// configFor is the configuration of connections to a schema.
func (a Address) configFor(schema string, of role) *pgx.ConnConfig {
	c := a.config.Copy()
	set := c.RuntimeParams
	set["search_path"] = schema
	set["application_name"] = "parley"
	set["idle_in_transaction_session_timeout"] = milliseconds(idleInTransaction)
	set["tcp_keepalives_idle"] = strconv.Itoa(int(keepAlive.Seconds()))
	set["tcp_keepalives_interval"] = strconv.Itoa(int(keepAlive.Seconds()))
	set["tcp_keepalives_count"] = "3"
	set["client_encoding"] = "UTF8"
	switch of {
	case toRead:
		set["default_transaction_read_only"] = "on"
	case toKeep:
		set["lock_timeout"] = milliseconds(keeperLockTimeout)
	}
	// A statement whose time is up is given up by the database; the connection stays.
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelWithin}
	}
	return c
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Check connects once and says what to do where that fails or where it can't be worked
// with.
func (a Address) Check(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, a.configFor("public", toKeep))
	if err != nil {
		return a.explain(err)
	}
	defer conn.Close(ctx)
	var version int
	var encoding, commit string
	err = conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'), current_setting('synchronous_commit')").
		Scan(&version, &encoding, &commit)
	switch {
	case err != nil:
		return a.explain(err)
	case version < oldest:
		return fmt.Errorf("PostgreSQL at %s is version %d: %d or newer is needed", a, version, oldest)
	case encoding != "UTF8":
		return fmt.Errorf("the database %s is encoded in %s: make one with createdb -E UTF8 -T template0", a, encoding)
	case commit == "off":
		return fmt.Errorf("synchronous_commit is off at %s, so that an audit line may be lost that was answered: ALTER DATABASE %s SET synchronous_commit = on",
			a, pgx.Identifier{a.config.Database}.Sanitize())
	}
	return nil
}
