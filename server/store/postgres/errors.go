package postgres

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Codes of errors, https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	codeDiskFull           = "53100"
	codeTooManyConnections = "53300"
	codeNoPassword         = "28P01"
	codeNoLogin            = "28000"
	codeNoDatabase         = "3D000"
	codeNoRight            = "42501"
	codeStarting           = "57P03"
	codeLockTimeout        = "55P03"
	codeReadOnly           = "25006"
	codeCheckViolation     = "23514" // of a row that no partition is for, too
)

// IsFull reports an error that space on the database's disk cures.
func IsFull(err error) bool { return codeOf(err) == codeDiskFull }

// HasNoPlace reports an error of a row that no partition is for.
func HasNoPlace(err error) bool { return codeOf(err) == codeCheckViolation }

// IsRefused reports an error of a statement that the database would refuse at any time.
func IsRefused(err error) bool { return codeOf(err) != "" && !IsAway(err) }

// IsAway reports an error that time or an administrator of the database cures: it is
// away, starting, out of something, or only to be read.
func IsAway(err error) bool {
	if code := codeOf(err); code != "" {
		switch code[:2] {
		// connection, authorization, rollback by the database, resources, limits,
		// not in the state that is needed, intervention, system, internal
		case "08", "28", "40", "53", "54", "55", "57", "58", "F0", "XX":
			return true
		}
		return code == codeNoDatabase || code == codeNoRight || code == codeReadOnly
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed) || pgconn.Timeout(err) || pgconn.SafeToRetry(err)
}

func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// IsStarting reports an error of connecting that ends by itself while a machine starts:
// nobody listens yet, or the database isn't ready. What somebody has to mend is none.
func IsStarting(err error) bool {
	if code := codeOf(err); code != "" {
		return code == codeStarting || code == codeTooManyConnections
	}
	var network *net.OpError
	return errors.As(err, &network) && !isOfCertificate(err) && !errors.Is(err, pgconn.ErrStandbyConnection)
}

// isOfCertificate reports that the two ends didn't agree on TLS.
func isOfCertificate(err error) bool {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var verification *tls.CertificateVerificationError
	return errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &verification) || strings.Contains(err.Error(), "server refused TLS")
}

// explain says what to do about an error of connecting.
func (a Address) explain(err error) error {
	user := a.config.User
	switch code := codeOf(err); {
	case code == codeNoPassword || code == codeNoLogin:
		return fmt.Errorf("PostgreSQL at %s doesn't let the user %s in (%s): look at its pg_hba.conf, and give the password by ~/.pgpass, the file of PGPASSFILE, or PGPASSWORD: %w", a, user, messageOf(err), err)
	case code == codeNoDatabase:
		return fmt.Errorf("PostgreSQL has no such database: createdb -O %s -E UTF8 -T template0 %s: %w", user, a.config.Database, err)
	case code == codeNoRight:
		return fmt.Errorf("the user %s may not make schemas in %s: GRANT CREATE ON DATABASE %s TO %s: %w", user, a,
			pgx.Identifier{a.config.Database}.Sanitize(), pgx.Identifier{user}.Sanitize(), err)
	case code == codeTooManyConnections:
		return fmt.Errorf("PostgreSQL at %s has no connection left, a server takes %d: raise max_connections: %w", a, MaxConnections, err)
	case code == codeStarting:
		return fmt.Errorf("PostgreSQL at %s is starting or stopping: try again in a moment: %w", a, err)
	case errors.Is(err, pgconn.ErrStandbyConnection):
		return fmt.Errorf("PostgreSQL at %s is a standby, which takes nothing: name the primary, or all of them (postgres://USER@HOST1,HOST2/NAME), of which the one that can be written is taken: %w", a, err)
	case isOfCertificate(err):
		return fmt.Errorf("PostgreSQL at %s has no certificate that fits: give its authority's by sslrootcert=FILE in the address, the name that it is for as the host, or, on a network that nobody else is on, sslmode=disable: %w", a, err)
	case code == "":
		return fmt.Errorf("nobody answers as PostgreSQL at %s: look whether it runs, listens there (listen_addresses) and is let through: %w", a, err)
	}
	return fmt.Errorf("PostgreSQL at %s: %w", a, err)
}

func messageOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
