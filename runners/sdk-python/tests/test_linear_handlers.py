from __future__ import annotations

import unittest

from google.protobuf.struct_pb2 import Struct

from kre_runner import call_port

from .fake_runner import FakeRunner
from .protos import pb


def _struct(**values: object) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


class DictHandlers(unittest.TestCase):
    """E0 and E1."""

    def test_the_first_node_gets_the_request_as_a_dict_and_sends_a_struct(self) -> None:
        handler = """
        def init(ctx):
            ctx.set_value("greeting", "Hello")
        def handler(ctx, data):
            assert ctx.greeting == "Hello"
            return {"text": ctx.get_value("greeting") + " " + data["name"], "score": 0.5, "n": [1, None, {"a": True}]}
        """
        with FakeRunner(handler, is_first=True) as runner:
            runner.start()
            (output,) = runner.run(pb.Request(name="Ann"))
            self.assertEqual(output.type_url, "type.googleapis.com/google.protobuf.Struct")
            expected = _struct(text="Hello Ann", score=0.5, n=[1, None, {"a": True}])
            self.assertEqual(Struct.FromString(bytes(output.value)), expected)

    def test_the_last_node_gets_a_dict_again_and_answers_with_the_fields_of_the_response(
        self,
    ) -> None:
        handler = """
        async def handler(ctx, data):
            assert data["n"] == [1, 2.5] and isinstance(data["n"][0], int)
            return {"greeting": data["text"] + "!"}
        """
        with FakeRunner(handler, is_exitpoint=True) as runner:
            runner.start()
            (output,) = runner.run(_struct(text="Hello", n=[1, 2.5]), from_node="one")
            self.assertEqual(output.type_url, "type.googleapis.com/demo.Response")
            self.assertEqual(pb.Response.FromString(bytes(output.value)).greeting, "Hello!")

    def test_a_field_that_the_response_lacks_fails_with_those_it_has(self) -> None:
        with FakeRunner("def handler(ctx, data): return {'nope': 1}", is_exitpoint=True) as runner:
            runner.start()
            text = runner.fail(pb.Request(name="a")).text
            self.assertEqual(text, 'message "demo.Response" has no field "nope"; it has: greeting')

    def test_a_dict_that_is_passed_on_unchanged_keeps_its_type(self) -> None:
        with FakeRunner("async def handler(ctx, data): return data") as runner:
            runner.start()
            (output,) = runner.run(pb.Request(name="a"))
            self.assertEqual(output.type_url, "type.googleapis.com/demo.Request")

    def test_a_changed_dict_is_sent_as_it_is_now(self) -> None:
        with FakeRunner("def handler(ctx, data): data['n'] = 1; return data") as runner:
            runner.start()
            (output,) = runner.run(pb.Request(name="a"))
            self.assertEqual(Struct.FromString(bytes(output.value)), _struct(name="a", n=1))

    def test_a_last_node_that_returns_nothing_fails_unless_it_has_sent_something(self) -> None:
        handler = """
        async def handler(ctx, data):
            if data["name"] == "sends":
                await ctx.send_output({"greeting": "sent"})
            if data["name"] == "replies":
                await ctx.reply({"greeting": "replied"})
        """
        with FakeRunner(handler, is_exitpoint=True) as runner:
            runner.start()
            failed = runner.fail(pb.Request(name="forgets"))
            self.assertIn("returned nothing, so the caller would wait in vain", failed.text)
            self.assertIn('return a "demo.Response"', failed.text)
            for name in ("sends", "replies"):
                self.assertEqual(len(runner.run(pb.Request(name=name))), 1)
        with FakeRunner("def handler(ctx, data): pass", is_exitpoint=False) as runner:
            runner.start()
            self.assertEqual(runner.run(pb.Request(name="forgets")), [])

    def test_a_result_that_is_no_message_fails_by_its_type(self) -> None:
        with FakeRunner("def handler(ctx, data): return 'text'") as runner:
            runner.start()
            self.assertIn("this is a str", runner.fail(pb.Request(name="a")).text)

    def test_sync_services_give_their_values(self) -> None:
        handler = """
        def handler(ctx, data):
            ctx.save_data("people", {"name": data["name"]})
            ctx.save_metric("x", "y", "2020-04-06T09:02:09.277853Z")
            found = ctx.get_data("people", {"name": data["name"]})
            return {"n": len(found), "path": ctx.get_path("model.bin")}
        """
        with FakeRunner(handler) as runner:
            documents: list[object] = []
            runner.services = {
                "db.save": lambda arguments, _: documents.append(arguments["document"]),
                "db.find": lambda arguments, _: documents,
                "prediction.save": lambda arguments, _: None,
            }
            runner.start()
            (output,) = runner.run(pb.Request(name="Ann"))
            path = str(runner.base_path / "model.bin")
            self.assertEqual(Struct.FromString(bytes(output.value)), _struct(n=1, path=path))
            self.assertEqual(documents, [{"name": "Ann"}])


class MessageHandlers(unittest.TestCase):
    """E2 to E5."""

    def test_an_original_file_runs_unchanged(self) -> None:
        handler = """
        from datetime import datetime
        from public_input_pb2 import Request, Response

        async def init(ctx):
            ctx.logger.info("[worker init]")
            ctx.set("greeting", "Hello")

        async def handler(ctx, data):
            ctx.logger.info("[worker handler]")
            req = Request()
            data.Unpack(req)
            result = f"{ctx.get('greeting')} {req.name}!"
            await ctx.prediction.save(utcdate=datetime.strptime("2020-04-06T09:02:09.277853Z", "%Y-%m-%dT%H:%M:%S.%fZ"),
                                      predicted_value="class_x", true_value="class_y")
            await ctx.prediction.save(error=ctx.prediction.ERR_MISSING_VALUES)
            ctx.measurement.save("greetings", {"name": req.name}, {"node": "handler"})
            await ctx.db.save("greeter", {"greeting": result})
            res = Response()
            res.greeting = result
            return res
        """
        with FakeRunner(handler, is_exitpoint=True) as runner:
            calls: list[tuple[str, object]] = []
            for name in ("prediction.save", "measurement.save", "db.save"):
                runner.services[name] = lambda arguments, _, name=name: calls.append(
                    (name, arguments)
                )
            runner.start()
            (output,) = runner.run(pb.Request(name="Ann"))
            self.assertEqual(pb.Response.FromString(bytes(output.value)).greeting, "Hello Ann!")
            self.assertEqual([name for name, _ in calls][-1], "db.save")
            prediction = {
                "date": "2020-04-06T09:02:09.277853Z",
                "error": "",
                "predictedValue": "class_x",
                "trueValue": "class_y",
                "extra": None,
            }
            self.assertEqual(calls[0], ("prediction.save", prediction))
            self.assertIn(("INFO", "[worker init]"), runner.logs())

    def test_a_reply_answers_at_once_and_the_last_nodes_result_is_dropped(self) -> None:
        handler = """
        from public_input_pb2 import Request, Response
        async def handler(ctx, data):
            await ctx.reply(Response(greeting="early"))
            try:
                await ctx.reply(Response(greeting="again"))
            except Exception as error:
                ctx.logger.warning(str(error))
            return Response(greeting="late")
        """
        for is_exitpoint, expected in (
            (True, [call_port.EARLY_REPLY]),
            (False, [call_port.EARLY_REPLY, call_port.OK]),
        ):
            with (
                self.subTest(is_exitpoint),
                FakeRunner(handler, is_exitpoint=is_exitpoint) as runner,
            ):
                runner.start()
                outputs = runner.run(pb.Request(name="Ann"))
                self.assertEqual([output.message_type for output in outputs], expected)
                self.assertIn(("WARN", "the message was replied previously"), runner.logs())

    def test_early_exit_makes_the_result_the_callers_answer(self) -> None:
        handler = """
        from public_input_pb2 import Response
        async def handler(ctx, data):
            ctx.early_exit()
            return Response(greeting="out")
        """
        with FakeRunner(handler) as runner:
            runner.start()
            (output,) = runner.run(pb.Request(name="Ann"))
            self.assertEqual(output.message_type, call_port.EARLY_EXIT)

    def test_a_sync_handler_that_unpacks_gets_an_any(self) -> None:
        handler = """
        from google.protobuf.any_pb2 import Any
        from public_input_pb2 import Request, Response
        def handler(ctx, data):
            req = Request()
            data.Unpack(req)
            return Response(greeting=f"{type(data) is Any} {req.name}")
        """
        with FakeRunner(handler) as runner:
            runner.start()
            (output,) = runner.run(pb.Request(name="Ann"))
            self.assertEqual(pb.Response.FromString(bytes(output.value)).greeting, "True Ann")
