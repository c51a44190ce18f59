// Makes the one node a replica set, and one user for each service that reaches that service's database and no other.
// Runs at every start; done again it changes nothing, but for a password that .env has changed since.
//
// As long as there is no user at all, MongoDB lets whoever comes over loopback make the first one: that is why this
// runs inside the network of the mongodb container. It may be interrupted anywhere and started again.
//
// Loops instead of callbacks: the shell waits for the server by itself, but not inside a function that is passed on.

const SERVICES = ["gateway", "messaging", "templates", "campaigns", "agents", "webhooks"];
const ADDRESS = "mongodb://127.0.0.1:27017/?directConnection=true";
const PATIENCE_MS = 60_000;

function connected() {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const admin = new Mongo(ADDRESS).getDB("admin");
      admin.hello();
      return admin;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      sleep(250);
    }
  }
}

function formReplicaSet(admin) {
  if (admin.hello().setName !== undefined) return;
  const members = [{ _id: 0, host: "mongodb:27017" }];
  admin.runCommand({ replSetInitiate: { _id: "rs0", members } });
  print("replica set rs0 formed");
}

function waitForPrimary(admin) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!admin.hello().isWritablePrimary) {
    if (Date.now() > deadline) throw new Error("no primary was elected");
    sleep(250);
  }
}

function logIn(admin) {
  const user = { user: "root", pwd: process.env.MONGODB_ROOT_PASSWORD };
  try {
    admin.createUser({ ...user, roles: ["root"] });
    print("user root made");
  } catch (error) {
    if (error.codeName !== "Unauthorized") throw error; // there are users already, so this one has to log in
  }
  try {
    admin.auth(user);
  } catch (error) {
    throw new Error(`MONGODB_ROOT_PASSWORD is not the one that these data were made with (${error.message})`);
  }
}

function giveUser(admin, service) {
  const rights = { pwd: process.env.MONGODB_PASSWORD, roles: [{ role: "readWrite", db: `waapi_${service}` }] };
  if (admin.getUser(service) === null) {
    admin.createUser({ user: service, ...rights });
    print(`user ${service} made`);
  } else {
    admin.updateUser(service, rights);
  }
}

const admin = connected();
formReplicaSet(admin);
waitForPrimary(admin);
logIn(admin);
for (const service of SERVICES) giveUser(admin, service);
print("mongodb is ready");
