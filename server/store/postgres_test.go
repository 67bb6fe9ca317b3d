package store_test

import (
	"context"
	"sync"
	"testing"

	"parley/server/store"
	"parley/server/store/postgres"
	"parley/server/store/postgres/postgrestest"
)

// cluster is the PostgreSQL of this package's tests, started by the first that asks.
var cluster struct {
	once sync.Once
	*postgrestest.Cluster
	err error

	mu   sync.Mutex
	free []string // databases that are empty again
}

// templateName is the database that the tests' are copies of: one that was migrated.
const templateName = "migrated"

func startCluster() {
	if cluster.Cluster, cluster.err = postgrestest.Start(); cluster.err != nil {
		return
	}
	cluster.err = cluster.Do("postgres", "CREATE DATABASE "+templateName)
	if cluster.err == nil {
		cluster.err = migrateTemplate()
	}
}

func migrateTemplate() error {
	a, err := postgres.ParseAddress(cluster.Address(templateName))
	if err != nil {
		return err
	}
	s, err := store.OpenPostgres(context.Background(), a, store.Options{})
	if err != nil {
		return err
	}
	return s.Close()
}

func closeCluster() error {
	if cluster.Cluster == nil {
		return nil
	}
	return cluster.Close()
}

// newDatabase makes an empty one for a test.
func newDatabase(t *testing.T) postgres.Address {
	t.Helper()
	cluster.once.Do(startCluster)
	if cluster.err != nil {
		t.Fatal(cluster.err)
	}
	name, err := takeDatabase()
	must(t, err)
	t.Cleanup(func() {
		must(t, cluster.Do(name, emptyDatabase))
		cluster.mu.Lock()
		defer cluster.mu.Unlock()
		cluster.free = append(cluster.free, name)
	})
	a, err := postgres.ParseAddress(cluster.Address(name))
	must(t, err)
	return a
}

func takeDatabase() (string, error) {
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	if last := len(cluster.free) - 1; last >= 0 {
		name := cluster.free[last]
		cluster.free = cluster.free[:last]
		return name, nil
	}
	return cluster.NewDatabase(templateName)
}

// emptyDatabase takes out what a test wrote: a tenth of what a new database costs.
const emptyDatabase = `DO $$ DECLARE t record; BEGIN
	SET LOCAL session_replication_role = replica; -- without the triggers
	FOR t IN SELECT c.oid::regclass AS name, c.relispartition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname LIKE 'parley%' AND c.relkind = 'r' AND c.relname <> 'goose_db_version' LOOP
		EXECUTE CASE WHEN t.relispartition THEN 'DROP TABLE ' ELSE 'DELETE FROM ' END || t.name;
	END LOOP;
	INSERT INTO parley_control.audit_anchor VALUES (1, 0, '');
	INSERT INTO parley_control.version VALUES ('settings', 0), ('alert_rules', 0);
END $$`
