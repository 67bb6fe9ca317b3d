package main

import (
	"strings"

	"parley/server/auth"
	"parley/server/mail"
)

// mailFlags say by which mail server alerts are sent to mailboxes.
type mailFlags struct {
	SMTPServer       string `name:"smtp-server" help:"Mail server that sends alerts to mailto: addresses: smtps://user@mail.example.org:465, or smtp://user@mail.example.org:587 (STARTTLS)."`
	SMTPPasswordFile string `name:"smtp-password-file" type:"path" help:"File with that user's password; read for each mail."`
	SMTPFrom         string `name:"smtp-from" help:"Mail address that alerts come from."`
	SMTPCA           string `name:"smtp-ca" type:"path" help:"File of root certificates that the mail server's own hangs from, in place of the machine's."`
}

// newMailSender returns nil where no mail is sent.
func (f *mailFlags) newMailSender() (*mail.Sender, error) {
	if f.SMTPServer == "" {
		if f.SMTPPasswordFile+f.SMTPFrom+f.SMTPCA != "" {
			return nil, usage("--smtp-password-file, --smtp-from and --smtp-ca go with --smtp-server: write which mail server sends")
		}
		return nil, nil
	}
	roots, err := readRoots("--smtp-ca", f.SMTPCA)
	if err != nil {
		return nil, err
	}
	if f.SMTPPasswordFile != "" {
		if _, err := auth.ReadPrivateFile(f.SMTPPasswordFile); err != nil {
			return nil, usage("--smtp-password-file: %w", err)
		}
	}
	sender, err := mail.New(mail.Config{Server: f.SMTPServer, Password: f.password, From: f.SMTPFrom, RootCAs: roots})
	if err != nil {
		return nil, usage("--smtp-server, --smtp-from, --smtp-password-file: %w", err)
	}
	return sender, nil
}

// password is "" where there is no file, or none any more.
func (f *mailFlags) password() string {
	if f.SMTPPasswordFile == "" {
		return ""
	}
	raw, err := auth.ReadPrivateFile(f.SMTPPasswordFile)
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(raw), "\r\n")
}
