package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"parley/server/auth"
	"parley/server/bus"
)

// busFlags say how the nodes of a cluster tell each other, and who may listen.
type busFlags struct {
	ClusterListen       string `help:"Address, HOST:PORT, where this node's own NATS server takes those of the other nodes: --cluster then has their addresses, and no other server is needed. Beyond loopback it takes the certificate, the authority and the password below."`
	ClusterUser         string `default:"parley" help:"Name that the NATS servers of --cluster know this node by."`
	ClusterPasswordFile string `type:"path" help:"File with the password of --cluster-user; with --cluster-listen, with what the nodes know each other by."`
	ClusterCredsFile    string `type:"path" help:"File of NATS credentials (JWT and key), in place of the password."`
	ClusterCA           string `name:"cluster-ca" type:"path" help:"File of the root certificates that those of the NATS servers hang from."`
	ClusterCert         string `type:"path" help:"Certificate file that this node shows them; with --cluster-key."`
	ClusterKey          string `type:"path" help:"Key file for --cluster-cert."`
}

// check refuses what can't be meant.
func (f busFlags) check(isNode bool) error {
	if (f.ClusterCert == "") != (f.ClusterKey == "") {
		return errors.New("--cluster-cert and --cluster-key go together: write both, or neither")
	}
	if f.ClusterPasswordFile != "" && f.ClusterCredsFile != "" {
		return errors.New("give --cluster-password-file or --cluster-creds-file, not both")
	}
	if !isNode && (f.ClusterListen != "" || f.ClusterPasswordFile != "" || f.ClusterCredsFile != "" || f.ClusterCA != "" || f.ClusterCert != "") {
		return errors.New("--cluster-listen and what secures it are of a node: write --cluster, too, or leave them out")
	}
	return nil
}

// openBus connects the node to the others; nil where the server is alone.
func (c *serveCommand) openBus(onLost func(), log *slog.Logger) (*bus.Bus, error) {
	if !c.isNode() {
		return nil, nil
	}
	to := bus.Connection{Servers: c.Cluster, Listen: c.ClusterListen, User: c.ClusterUser, Credentials: c.ClusterCredsFile}
	if err := c.readBusSecrets(&to); err != nil {
		return nil, &usageError{err}
	}
	if err := to.Check(); err != nil {
		return nil, usage("--cluster: %w", err)
	}
	b, err := bus.Open(bus.Config{Node: c.Node, Connection: to, OnLost: onLost, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("--cluster: %w", err)
	}
	return b, nil
}

func (f busFlags) readBusSecrets(to *bus.Connection) error {
	if f.ClusterPasswordFile != "" {
		password, err := auth.ReadPrivateFile(f.ClusterPasswordFile)
		if err != nil {
			return fmt.Errorf("--cluster-password-file: %w", err)
		}
		to.Password = strings.TrimSpace(string(password))
	}
	if f.ClusterCA != "" {
		roots, err := os.ReadFile(f.ClusterCA)
		if err != nil {
			return fmt.Errorf("--cluster-ca: %w", err)
		}
		if to.CA = x509.NewCertPool(); !to.CA.AppendCertsFromPEM(roots) {
			return fmt.Errorf("--cluster-ca: %s has no certificate in PEM", f.ClusterCA)
		}
	}
	if f.ClusterCert != "" {
		certificate, err := tls.LoadX509KeyPair(f.ClusterCert, f.ClusterKey)
		if err != nil {
			return fmt.Errorf("--cluster-cert: %w", err)
		}
		to.Certificate = &certificate
	}
	return nil
}
