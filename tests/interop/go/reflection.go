package main

import (
	"context"
	"fmt"
	"slices"

	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

func (d *driver) list(ctx context.Context, op operation) (any, error) {
	request := &reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_ListServices{},
	}
	response, err := d.reflect(ctx, op, request)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, service := range response.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	slices.Sort(names)
	return names, nil
}

func (d *driver) describe(ctx context.Context, op operation) (any, error) {
	request := &reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: op.Service},
	}
	response, err := d.reflect(ctx, op, request)
	if err != nil {
		return nil, err
	}
	methods := []string{}
	for _, encoded := range response.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(encoded, file); err != nil {
			return nil, err
		}
		for _, service := range file.GetService() {
			if file.GetPackage()+"."+service.GetName() != op.Service {
				continue
			}
			for _, m := range service.GetMethod() {
				methods = append(methods, fmt.Sprintf("%s: %s -> %s", m.GetName(), m.GetInputType(), m.GetOutputType()))
			}
		}
	}
	return methods, nil
}

func (d *driver) reflect(ctx context.Context, op operation, request *reflection.ServerReflectionRequest) (*reflection.ServerReflectionResponse, error) {
	channel, err := d.channel(op.Address, 0, 0)
	if err != nil {
		return nil, err
	}
	if op.Version == "v1" {
		stream, err := reflection.NewServerReflectionClient(channel).ServerReflectionInfo(ctx)
		if err != nil {
			return nil, err
		}
		if err := stream.Send(request); err != nil {
			return nil, err
		}
		if err := stream.CloseSend(); err != nil {
			return nil, err
		}
		return stream.Recv()
	}
	stream, err := grpc_reflection_v1alpha.NewServerReflectionClient(channel).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(toAlpha(request)); err != nil {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	response, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	return fromAlpha(response)
}

// v1alpha has the messages of v1 under another name; the wire is the same.
func toAlpha(request *reflection.ServerReflectionRequest) *grpc_reflection_v1alpha.ServerReflectionRequest {
	alpha := &grpc_reflection_v1alpha.ServerReflectionRequest{}
	encoded, err := proto.Marshal(request)
	if err == nil {
		err = proto.Unmarshal(encoded, alpha)
	}
	if err != nil {
		panic(err)
	}
	return alpha
}

func fromAlpha(alpha *grpc_reflection_v1alpha.ServerReflectionResponse) (*reflection.ServerReflectionResponse, error) {
	encoded, err := proto.Marshal(alpha)
	if err != nil {
		return nil, err
	}
	response := &reflection.ServerReflectionResponse{}
	return response, proto.Unmarshal(encoded, response)
}
