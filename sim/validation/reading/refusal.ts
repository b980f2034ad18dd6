/** A row that no machine of this project can be timed for; the message is the reason. */
export class NotModelled extends Error {}
