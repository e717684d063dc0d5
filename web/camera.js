"use strict";
// The camera: a hidden <video> whose frames are painted one after another.

class Camera {
  constructor(video) {
    this.video = video;
  }

  get on() {
    return Boolean(this.stream);
  }

  /** Ask for the camera, and wait for its first frame. */
  async open() {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give the camera only to pages that come over https.");
    }
    this.asking = true;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } },
      });
    } catch (error) {
      const refused = error.name === "NotAllowedError";
      throw new Error(
        refused ? "The camera was not allowed; the browser's settings can change that."
                : "No camera was found, or another program is using it.",
      );
    } finally {
      this.asking = false;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = this.video.srcObject = null;
  }

  /** Whether it looks at whoever sits before it, who expects a mirror. */
  get mirrored() {
    return this.stream?.getVideoTracks()[0].getSettings().facingMode !== "environment";
  }
}

/** Count frames a second, smoothed over about the last ten. */
class Rate {
  tick() {
    const now = performance.now();
    const seconds = (now - this.last) / 1000;
    if (this.last) this.mean = this.mean ? this.mean + (seconds - this.mean) / 10 : seconds;
    this.last = now;
    return this.mean ? 1 / this.mean : 0;
  }
}
