package config

import (
	"encoding/json"
	"errors"
	"fmt"

	"parley/server/agent/tool"
	"parley/server/agent/upstream"
	"parley/server/outbound"
)

// checkTools makes the functions that the model may call.
func (c *checker) checkTools(cfg *upstream.Config) error {
	tools := make([]*tool.Tool, len(c.Tools))
	options := tool.Options{Addresses: outbound.Addresses{AllowPrivate: c.AllowPrivate, Setting: "allow_private: true"}}
	for i, t := range c.Tools {
		at := fmt.Sprintf("tools[%d]", i)
		secret, err := c.secret(at+".secret", t.SecretFile, t.SecretEnv)
		if err != nil {
			return err
		}
		parameters, err := json.Marshal(t.Parameters)
		if err != nil {
			return c.faultAt(at+".parameters", "this is no JSON schema")
		}
		tools[i], err = tool.New(tool.Config{
			Name: t.Name, Description: t.Description, Parameters: parameters, URL: t.URL,
			Secret: secret, Timeout: t.Timeout, MaxResult: t.MaxResult,
		}, options)
		if err != nil {
			return c.toolFault(at, err)
		}
	}
	set, err := tool.NewSet(tools)
	if err != nil {
		return c.toolFault("tools", err)
	}
	cfg.Tools = set
	return nil
}

// toolFault is what a tool says is wrong with it.
func (c *checker) toolFault(at string, err error) error {
	var field *tool.FieldError
	if !errors.As(err, &field) {
		return c.faultAt(at, "%s", err)
	}
	if field.Field == "secret" {
		return c.faultAt(at, "write secret_file or secret_env: %s", field.Detail)
	}
	return c.faultAt(at+"."+field.Field, "%s", field.Detail)
}
