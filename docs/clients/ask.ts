// Asks an Argus gateway's agent something and prints the answer as it grows, whatever happens to the connection.
//
//     npm install ws typescript @types/ws @types/node && npx tsc --module nodenext ask.ts
//     ARGUS_TOKEN=… node ask.js "What is in this folder?"
//
// ARGUS_URL is ws://127.0.0.1:8080/ws unless set. ARGUS_APPROVE=yes lets the agent do what it asks about; otherwise it
// is refused.

import { randomUUID } from "node:crypto";
import WebSocket from "ws";

type Frame = {
  id?: string | number;
  method?: string;
  params?: Record<string, any>;
  result?: Record<string, any>;
  error?: { code: number; message: string };
  argusSeq?: number;
};

const url = process.env.ARGUS_URL ?? "ws://127.0.0.1:8080/ws";
const headers = { authorization: `Bearer ${process.env.ARGUS_TOKEN}` };
const decision = process.env.ARGUS_APPROVE === "yes" ? "accept" : "decline";
/** The gateway pings every 20 seconds; without a word for this long it is gone. */
const silence = 45_000;

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** One question, and how far it came. It outlives every connection. */
class Question {
  /** The same key again is the same question. */
  private readonly key: string = randomUUID();
  /** The newest number we heard, and its numbering. */
  private place: { after: string; epoch?: string } = { after: "" };
  /** A thread was asked for, and its reply is due. */
  private opening = false;
  private thread?: string;
  private asked = false;
  private status?: string;

  constructor(private readonly text: string) {}

  /** Connects as often as it takes; the status of the turn. */
  async ask(): Promise<string> {
    for (let pause = 200; this.status === undefined; pause = Math.min(pause * 2, 5000)) {
      const query = new URLSearchParams({ session: "default", client: `ask-${this.key}`, ...this.place });
      if (await this.talk(new WebSocket(`${url}?${query}`, { headers }))) pause = 100;
      if (this.status === undefined) await wait(pause);
    }
    console.log();
    return this.status;
  }

  /** Over one connection, until the turn is over or the connection ends; whether there was one. */
  private talk(socket: WebSocket): Promise<boolean> {
    return new Promise((ended, refused) => {
      let opened = false;
      let alive = setTimeout(() => socket.terminate(), silence);
      const heard = () => {
        clearTimeout(alive);
        alive = setTimeout(() => socket.terminate(), silence);
      };
      socket.on("open", () => {
        opened = true;
        const clientInfo = { name: "ask_ts", title: "ask.ts", version: "1.0" };
        this.send(socket, { id: "hello", method: "initialize", params: { clientInfo } });
      });
      socket.on("ping", heard);
      socket.on("message", (data) => {
        heard();
        this.take(socket, JSON.parse(data.toString())).catch(refused);
      });
      socket.on("error", () => {}); // "close" follows
      socket.on("close", (code, reason) => {
        clearTimeout(alive);
        if (code === 1008) refused(new Error(`refused: ${reason}`));
        else ended(opened);
      });
    });
  }

  private send(socket: WebSocket, frame: Frame) {
    socket.send(JSON.stringify(frame));
  }

  private async take(socket: WebSocket, frame: Frame) {
    const { id, method, params = {}, error } = frame;
    if (frame.argusSeq !== undefined) this.place.after = String(frame.argusSeq);
    if (method === "argus/session") {
      // The first number to come back with is the one that is told here.
      if (this.place.epoch !== params.epoch) this.place = { after: String(params.seq), epoch: params.epoch };
      // Known from before, we get the replies that are due; otherwise they are lost.
      this.opening &&= params.returned;
    } else if (method === "argus/gap") {
      console.error(`\n[frames ${params.from} to ${params.to} are gone]`);
    } else if (method !== undefined && id !== undefined) {
      if (method.endsWith("/requestApproval")) this.send(socket, { id, result: { decision } });
      else this.send(socket, { id, error: { code: -32601, message: "not here" } });
    } else if (error !== undefined) {
      if (error.code !== -32001) throw new Error(`${id}: ${error.message}`);
      await wait(500); // too much is waiting: once more in a moment
      if (id === "thread") this.opening = false;
      this.goOn(socket);
    } else if (method === undefined) {
      if (id === "hello") this.send(socket, { method: "initialized" });
      if (id === "thread") this.thread ??= frame.result?.thread.id;
      if (id === "ask") this.asked = true;
      this.goOn(socket);
    } else if (params.threadId === this.thread) {
      if (method === "item/agentMessage/delta") process.stdout.write(params.delta);
      if (method === "turn/completed") {
        this.status = params.turn.status;
        socket.close();
      }
    }
  }

  private goOn(socket: WebSocket) {
    if (this.thread === undefined) {
      if (!this.opening) this.send(socket, { id: "thread", method: "thread/start", params: {} });
      this.opening = true;
    } else if (!this.asked) {
      const params = { text: this.text, threadId: this.thread, idempotencyKey: this.key };
      this.send(socket, { id: "ask", method: "argus/input/enqueue", params });
    }
  }
}

const status = await new Question(process.argv[2] ?? "Say hello.").ask();
process.exitCode = status === "completed" ? 0 : 1;
