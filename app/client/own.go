package client

import (
	"context"

	"parley/shared/rest"
)

// OwnSession asks for one of the caller's own sessions.
func (c *Client) OwnSession(ctx context.Context, id string) (rest.OwnSession, error) {
	return get[rest.OwnSession](ctx, c, atPath(rest.PathOwnSession, id))
}

// RateSession says how one of the caller's own sessions was.
func (c *Client) RateSession(ctx context.Context, id string, rating rest.Rating) error {
	_, err := send[struct{}](ctx, c, "PUT", atPath(rest.PathRating, id), rating, rest.AnyVersion)
	return err
}
