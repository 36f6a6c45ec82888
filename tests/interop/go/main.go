// A grpc-go client for the interop suite: operations are JSON lines on standard input, results are JSON lines on
// standard output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const callTimeout = time.Minute

type operation struct {
	ID           int               `json:"id"`
	Op           string            `json:"op"`
	Target       int               `json:"target"`
	Address      string            `json:"address"`
	Path         string            `json:"path"`
	Payloads     [][]byte          `json:"payloads"`
	Channels     int               `json:"channels"`
	DeadlineMs   int               `json:"deadlineMs"`
	Metadata     map[string]string `json:"metadata"`
	Gzip         bool              `json:"gzip"`
	WaitForReady bool              `json:"waitForReady"`
	KeepaliveMs  int               `json:"keepaliveMs"`
	Version      string            `json:"version"`
	Service      string            `json:"service"`
}

type errorInfo struct {
	Reason   string            `json:"reason"`
	Domain   string            `json:"domain"`
	Metadata map[string]string `json:"metadata"`
}

type outcome struct {
	Code      codes.Code        `json:"code"`
	Message   string            `json:"message"`
	Data      *[]byte           `json:"data"`
	Trailers  map[string]string `json:"trailers"`
	ErrorInfo *errorInfo        `json:"errorInfo"`
}

// bytesCodec passes messages on as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}
func (bytesCodec) Name() string { return "proto" }

var _ encoding.Codec = bytesCodec{}

type driver struct {
	mu       sync.Mutex
	channels map[string]*grpc.ClientConn
	cancels  map[int]context.CancelFunc
	out      *json.Encoder
}

func (d *driver) say(line map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.out.Encode(line); err != nil {
		os.Exit(1) // nobody reads any more
	}
}

func (d *driver) channel(address string, index int, keepaliveMs int) (*grpc.ClientConn, error) {
	key := fmt.Sprint(address, "#", index, "#", keepaliveMs)
	d.mu.Lock()
	defer d.mu.Unlock()
	if found, ok := d.channels[key]; ok {
		return found, nil
	}
	// Soon again after a refusal, as the server of a test comes back at once.
	soon := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.5, MaxDelay: 500 * time.Millisecond}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: time.Second}),
		grpc.WithIdleTimeout(0),
	}
	if keepaliveMs > 0 {
		options = append(options, grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:                time.Duration(keepaliveMs) * time.Millisecond,
			Timeout:             5 * time.Second,
			PermitWithoutStream: true,
		}))
	}
	channel, err := grpc.NewClient("passthrough:///"+address, options...)
	if err == nil {
		d.channels[key] = channel
	}
	return channel, err
}

func (d *driver) call(ctx context.Context, op operation) (any, error) {
	timeout := callTimeout
	if op.DeadlineMs > 0 {
		timeout = time.Duration(op.DeadlineMs) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, metadata.New(op.Metadata)), timeout)
	defer cancel()
	options := []grpc.CallOption{
		grpc.ForceCodec(bytesCodec{}),
		grpc.WaitForReady(op.WaitForReady),
		grpc.MaxCallRecvMsgSize(16 << 20),
	}
	if op.Gzip {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	outcomes := make([]outcome, len(op.Payloads))
	var all sync.WaitGroup
	for i := range op.Payloads {
		channel, err := d.channel(op.Address, i%max(op.Channels, 1), op.KeepaliveMs)
		if err != nil {
			return nil, err
		}
		all.Go(func() { outcomes[i] = invoke(ctx, channel, op.Path, op.Payloads[i], options) })
	}
	all.Wait()
	return outcomes, nil
}

func invoke(ctx context.Context, channel *grpc.ClientConn, path string, request []byte, options []grpc.CallOption) outcome {
	answer := []byte{}
	var trailer metadata.MD
	err := channel.Invoke(ctx, path, &request, &answer, append(options[:len(options):len(options)], grpc.Trailer(&trailer))...)
	told := status.Convert(err)
	result := outcome{Code: told.Code(), Message: told.Message(), Trailers: map[string]string{}}
	if err == nil {
		result.Data = &answer
	}
	for key, values := range trailer {
		result.Trailers[key] = values[0]
	}
	for _, detail := range told.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			result.ErrorInfo = &errorInfo{info.GetReason(), info.GetDomain(), info.GetMetadata()}
		}
	}
	return result
}

func (d *driver) check(ctx context.Context, op operation) (any, error) {
	channel, err := d.channel(op.Address, 0, 0)
	if err != nil {
		return nil, err
	}
	request := &grpc_health_v1.HealthCheckRequest{Service: op.Service}
	response, err := grpc_health_v1.NewHealthClient(channel).Check(ctx, request)
	if err != nil {
		return fmt.Sprintf("code %d", status.Code(err)), nil
	}
	return response.GetStatus().String(), nil
}

func (d *driver) watch(ctx context.Context, op operation) (any, error) {
	channel, err := d.channel(op.Address, 0, 0)
	if err != nil {
		return nil, err
	}
	request := &grpc_health_v1.HealthCheckRequest{Service: op.Service}
	stream, err := grpc_health_v1.NewHealthClient(channel).Watch(ctx, request)
	if err != nil {
		return nil, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return fmt.Sprintf("code %d", status.Code(err)), nil
		}
		d.say(map[string]any{"id": op.ID, "event": response.GetStatus().String()})
	}
}

func (d *driver) run(ctx context.Context, op operation) {
	operations := map[string]func(context.Context, operation) (any, error){
		"call": d.call, "list": d.list, "describe": d.describe, "check": d.check, "watch": d.watch,
	}
	result, err := operations[op.Op](ctx, op)
	d.mu.Lock()
	delete(d.cancels, op.ID)
	d.mu.Unlock()
	if err != nil {
		d.say(map[string]any{"id": op.ID, "error": err.Error()})
		return
	}
	d.say(map[string]any{"id": op.ID, "result": result})
}

func main() {
	d := &driver{
		channels: map[string]*grpc.ClientConn{},
		cancels:  map[int]context.CancelFunc{},
		out:      json.NewEncoder(os.Stdout),
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var op operation
		if err := json.Unmarshal(lines.Bytes(), &op); err != nil {
			panic(err)
		}
		d.mu.Lock()
		if op.Op == "cancel" {
			if cancel, ok := d.cancels[op.Target]; ok {
				cancel()
			}
			d.mu.Unlock()
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		d.cancels[op.ID] = cancel
		d.mu.Unlock()
		go d.run(ctx, op)
	}
}
