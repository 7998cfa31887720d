export { librarian } from './service.js'
export { createShelf, type Shelf, type ShelfOptions } from './shelf.js'
