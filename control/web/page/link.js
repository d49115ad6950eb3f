// The connection to the program: values by address, newest value of each address once a frame, reconnection.

export const ROOT = "/moodfader/";
const FIRST_WAIT_MS = 250, LONGEST_WAIT_MS = 5000, PING_MS = 2000, SILENT_MS = 7000, SETTLE_MS = 1500;

export class Link extends EventTarget {
  constructor() {
    super();
    this.values = new Map();      // by short address: "midlevel/modality"
    this.table = new Map();       // parameters by short address
    this.held = new Map();        // number of the client that holds an address
    this.id = 0;
    this.rtt = null;
    this.connected = false;
    this.listeners = new Map();
    this.mine = new Set();        // addresses under our fingers: their echoes wait
    this.settling = new Map();    // address -> {value, until}: ours, of which the echo is not there yet
    this.outbox = {};
    this.frame = 0;
    this.wait = FIRST_WAIT_MS;
    this.open();
    setInterval(() => this.check(), 1000);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.connected) { this.wait = FIRST_WAIT_MS; this.open(); }
    });
    window.addEventListener("online", () => { if (!this.connected) this.open(); });
  }

  open() {
    clearTimeout(this.timer);
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    const address = new URL("ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = this.socket = new WebSocket(address);
    socket.onmessage = (event) => { if (socket === this.socket) this.receive(JSON.parse(event.data)); };
    socket.onclose = () => { if (socket === this.socket) this.lose(); };
  }

  lose() {
    if (this.connected) {
      this.connected = false;
      this.mine.clear();
      this.outbox = {};
      this.dispatchEvent(new Event("lost"));
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 1.7, LONGEST_WAIT_MS);
  }

  check() {  // a connection on which nothing comes back is lost, whatever the system says
    if (!this.connected) return;
    const now = performance.now();
    if (now - this.lastSeen > SILENT_MS) {
      this.socket.onclose = null;
      this.socket.close();
      this.socket = null;
      this.lose();
      return;
    }
    if (now - (this.lastPing || 0) > PING_MS) { this.lastPing = now; this.send({ ping: now }); }
  }

  send(frame) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  receive(frame) {
    this.lastSeen = performance.now();
    if (frame.hello) this.begin(frame.hello);
    if (frame.v) for (const [address, value] of Object.entries(frame.v)) this.take(short(address), value);
    if (frame.held) for (const [address, id] of Object.entries(frame.held)) this.note(short(address), id);
    if (frame.pong !== undefined) {
      this.rtt = performance.now() - frame.pong;
      this.dispatchEvent(new Event("rtt"));
    }
    if (frame.presets) {
      this.hello.presets = frame.presets;
      this.dispatchEvent(new Event("presets"));
    }
    if (frame.map !== undefined) this.dispatchEvent(new CustomEvent("map", { detail: frame.map }));
    if (frame.error) {
      this.settling.delete(short(frame.address));  // (what is held instead is told, too)
      this.dispatchEvent(new CustomEvent("refused", { detail: frame }));
    }
  }

  begin(hello) {
    this.id = hello.id;
    this.hello = hello;
    this.table = new Map(hello.table.map((row) => [short(row.address), row]));
    this.held = new Map(Object.entries(hello.held).map(([address, id]) => [short(address), id]));
    this.connected = true;
    this.wait = FIRST_WAIT_MS;
    this.settling.clear();
    this.lastPing = 0;
    this.dispatchEvent(new Event("begin"));
    for (const [address, value] of Object.entries(hello.values)) this.take(short(address), value);
    for (const address of this.table.keys()) this.tell(address);
  }

  take(address, value) {
    this.values.set(address, value);
    const settling = this.settling.get(address);
    if (settling && settling.value === value) this.settling.delete(address);
    if (this.mine.has(address) || this.settling.has(address)) return;
    this.tell(address);
  }

  note(address, id) {
    if (id === null) this.held.delete(address); else this.held.set(address, id);
    if (id !== null && id !== this.id && this.mine.delete(address)) {  // the last finger down holds it
      this.dispatchEvent(new CustomEvent("taken", { detail: address }));
    }
    this.tell(address);
  }

  tell(address) {
    const value = this.get(address);
    for (const listener of this.listeners.get(address) || []) listener(value, address);
  }

  on(address, listener) {
    if (!this.listeners.has(address)) this.listeners.set(address, []);
    this.listeners.get(address).push(listener);
    if (this.values.has(address)) listener(this.get(address), address);
  }

  get(address) { return this.settling.has(address) ? this.settling.get(address).value : this.values.get(address); }

  heldByOther(address) { return this.held.has(address) && this.held.get(address) !== this.id; }

  // Set a value: only the newest of each address is sent, once a frame of the screen.
  set(address, value) {
    this.outbox[ROOT + address] = value;
    if (!this.frame) this.frame = requestAnimationFrame(() => this.flush());
  }

  flush() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (!Object.keys(this.outbox).length) return;
    this.send({ set: this.outbox });
    this.outbox = {};
  }

  press(address) { this.flush(); this.send({ set: { [ROOT + address]: true } }); }

  hold(addresses) {
    for (const address of addresses) { this.mine.add(address); this.settling.delete(address); }
    this.send({ hold: addresses.map((address) => ROOT + address) });
  }

  release(addresses, values) {
    this.flush();
    this.send({ free: addresses.map((address) => ROOT + address) });
    addresses.forEach((address, place) => {
      if (!this.mine.delete(address)) return;
      if (values[place] !== undefined && values[place] !== this.values.get(address)) this.settle(address, values[place]);
      this.tell(address);
    });
  }

  // Show a value of ours until its echo is there, and not the echoes of those before it.
  settle(address, value) {
    const settling = { value };
    this.settling.set(address, settling);
    setTimeout(() => {
      if (this.settling.get(address) === settling) { this.settling.delete(address); this.tell(address); }
    }, SETTLE_MS);
  }
}

export function short(address) { return address.startsWith(ROOT) ? address.slice(ROOT.length) : address; }
